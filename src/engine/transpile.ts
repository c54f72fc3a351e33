import { componentWit, transpile } from '@bytecodealliance/jco';
import { SandboxError } from '../errors.ts';

/**
 * A component as what a JavaScript host can run: `engine.js` (the glue, with an `instantiate` export) and its core modules
 * (`engine.core.wasm`, `engine.core2.wasm`, ...), by file name.
 *
 * @throws SandboxError ERR_ENGINE_BUILD
 */
export async function transpileComponent(component: Uint8Array): Promise<Map<string, Uint8Array>> {
  try {
    const { files } = await transpile(component, {
      name: 'engine',
      instantiation: 'sync',
      noTypescript: true,
      minify: false,
      optimize: false,
    });
    return new Map(Object.entries(files));
  } catch (cause) {
    throw new SandboxError('ERR_ENGINE_BUILD', 'jco could not transpile the engine component.', { cause });
  }
}

/** The component's own world as WIT text, read from its bytes. */
export async function readComponentWit(component: Uint8Array): Promise<string> {
  return componentWit(component);
}
