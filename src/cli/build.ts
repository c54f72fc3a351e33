import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { appendDelta } from '../component/export-component.ts';
import { decodeProgram } from '../component/program-file.ts';
import { programKey } from '../component/program-key.ts';
import { SandboxError } from '../errors.ts';
import { createLog } from '../log.ts';
import { LOCAL_PRINCIPAL } from '../server/sandbox-port.ts';
import { skillsIn } from '../skill/skills.ts';
import { open, readConfig, readProgram, type CommonOptions, type ProcessContext } from './command.ts';

export interface BuildOptions extends CommonOptions {
  /** The component's file. */
  readonly output: string;
}

/** `ampoule build FILE -o out.wasm`: a program as a standalone, standard component: the engine with the program's image in it. */
export async function build(context: ProcessContext, file: string, options: BuildOptions): Promise<void> {
  const config = await readConfig(context, options);
  const code = await readProgram(context, file);
  const log = createLog({ ...config.log, level: 'warn' });
  await using started = new AsyncDisposableStack();
  const sandbox = await open(context, config, log, { executions: 'none' });
  started.defer(() => sandbox.close());
  const { bundler, engine, executor, wrappers, skills } = sandbox;
  const source = { code, wrappers: wrappers.current(), skills: skillsIn(code, skills, LOCAL_PRINCIPAL) };
  const { script } = await bundler.bundle(source, context.signal);
  const key = programKey({ script, engineHash: engine.hash });
  const delta = decodeProgram(await executor.make({ key, script }), key);
  const component = appendDelta(await readFile(engine.component), delta);
  await writeWhole(resolve(context.workingDirectory, options.output), component);
  context.stdout.write(`${options.output}: ${component.length} bytes, program ${key}\n`);
}

/** Written beside the target and moved there, so that the target is never half a file. */
async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const fresh = `${path}.${randomUUID()}.tmp`;
  try {
    await writeFile(fresh, bytes, { flag: 'wx' });
    await rename(fresh, path);
  } catch (cause) {
    await rm(fresh, { force: true });
    throw new SandboxError('ERR_CLI_FILE', `${path} cannot be written.`, { hint: 'Name another file with --output.', cause });
  }
}
