import { componentWit, transpile } from '@bytecodealliance/jco';
import { SandboxError } from '../errors.ts';
import type { EngineGlue } from './abi/record-plan.ts';

/**
 * A component taken apart by jco: its core modules (`engine.core.wasm`, `engine.core2.wasm`, ...) by file name, and the glue that
 * connects them.
 *
 * @throws SandboxError ERR_ENGINE_BUILD
 */
export async function transpileComponent(component: Uint8Array): Promise<TranspiledComponent> {
  try {
    const { files } = await transpile(component, {
      name: 'engine',
      instantiation: 'sync',
      noTypescript: true,
      minify: false,
      optimize: false,
    });
    const modules = Object.entries(files).filter(([name]) => name.endsWith('.wasm'));
    return { glue: await importGlue(files['engine.js'] ?? new Uint8Array()), modules: new Map(modules) };
  } catch (cause) {
    throw new SandboxError('ERR_ENGINE_BUILD', 'jco could not transpile the engine component.', { cause });
  }
}

/** A component taken apart: see {@link transpileComponent}. */
export interface TranspiledComponent {
  readonly glue: EngineGlue;
  readonly modules: ReadonlyMap<string, Uint8Array>;
}

/** As a data URL: the glue imports nothing, and nobody else has to read it. */
async function importGlue(source: Uint8Array): Promise<EngineGlue> {
  return (await import(`data:text/javascript;base64,${Buffer.from(source).toString('base64')}`)) as EngineGlue;
}

/** The component's own world as WIT text, read from its bytes. */
export async function readComponentWit(component: Uint8Array): Promise<string> {
  return componentWit(component);
}
