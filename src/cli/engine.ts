import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { verifyEngine } from '../engine/verify.ts';
import { openEngine } from '../open-sandbox.ts';
import { cacheDirectory, readConfig, type CommonOptions, type ProcessContext } from './command.ts';
import { showBuildProgress } from './progress.ts';

export interface EngineOptions extends CommonOptions {
  readonly rebuild?: boolean;
}

/** `ampoule engine`: builds the engine when it is missing and shows what it can reach, read from the component itself. */
export async function engine(context: ProcessContext, options: EngineOptions): Promise<void> {
  const config = await readConfig(context, options);
  const progress = showBuildProgress(context.stderr);
  try {
    const files = await openEngine(config, cacheDirectory(context, config), {
      rebuild: options.rebuild === true,
      onBuild: progress.step,
    });
    progress.end();
    const sizes = await Promise.all(
      files.modules.map(async (name) => `  ${name}  ${mebibytes((await stat(join(files.directory, name))).size)}`),
    );
    const { imports, exports } = await verifyEngine(files);
    const lines = [
      `Engine ${config.engine} ${files.hash}`,
      `Component ${files.component}  ${mebibytes((await stat(files.component)).size)}`,
      'Metered core modules',
      ...sizes,
      `${imports.length} imports`,
      ...imports.map((name) => `  ${name}`),
      `${exports.length} exports`,
      ...exports.map((name) => `  ${name}`),
    ];
    context.stdout.write(`${lines.join('\n')}\n`);
  } finally {
    progress.end();
  }
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
