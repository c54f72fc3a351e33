import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { componentize } from '@bytecodealliance/componentize-js';
import { SandboxError } from '../../errors.ts';

type ComponentizeOptions = Parameters<typeof componentize>[2];

/** Engine features that would need a host function of their own: with none of them no WASI import is left. */
const HOST_FEATURES = ['random', 'stdio', 'clocks', 'http', 'fetch-event'] as const;

/** What the clock says while the engine is built: componentize-js writes it into the component. */
const BUILD_EPOCH_MS = Date.UTC(2020, 0, 1);

/**
 * The engine component: a JavaScript engine with `source` (the guest runtime, one ES module) already evaluated in it.
 * The same inputs give the same bytes. Blocks the thread for seconds and changes `Date`, so it belongs in a process of its own.
 *
 * @param workDirectory an empty folder that the caller removes.
 * @throws SandboxError ERR_ENGINE_BUILD
 */
export async function componentizeOnStarlingMonkey(source: string, wit: string, workDirectory: string): Promise<Uint8Array> {
  Date.now = () => BUILD_EPOCH_MS;
  try {
    // The declared type asks for a path even where the source is given as text.
    const options = {
      worldName: 'sandbox',
      disableFeatures: [...HOST_FEATURES],
      wizerBin: await writeLauncher(workDirectory),
    } as ComponentizeOptions;
    const { component } = await componentize(source, wit, options);
    return component;
  } catch (cause) {
    throw new SandboxError('ERR_ENGINE_BUILD', `componentize-js could not build the engine: ${firstLine(cause)}`, {
      hint: 'The log has the whole output. Run `npm ci` again if packages are missing.',
      cause,
    });
  }
}

/** componentize-js takes the path of one executable file, and starts it with an empty PATH. */
async function writeLauncher(directory: string): Promise<string> {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  const script = fileURLToPath(new URL(`./pre-initialize${extension}`, import.meta.url));
  const path = join(directory, 'pre-initialize');
  await writeFile(path, `#!/bin/sh\nexec ${quote(process.execPath)} --disable-warning=ExperimentalWarning ${quote(script)} "$@"\n`);
  await chmod(path, 0o700);
  return path;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function firstLine(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return message.split('\n').find((line) => line.trim() !== '') ?? 'no message';
}
