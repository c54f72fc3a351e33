#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError, Option } from 'commander';
import { addApprovalCommands } from './cli/approvals-commands.ts';
import { addAuditCommand } from './cli/audit-commands.ts';
import type { ProcessContext } from './cli/command.ts';
import { useCompileCache } from './cli/compile-cache.ts';
import { errorText, exitCodeOf } from './cli/error-text.ts';
import { addExecutionCommands } from './cli/executions-commands.ts';
import { addLoginCommands } from './cli/login-commands.ts';
import { addKeyCommands } from './cli/key-commands.ts';
import { addReplayCommands } from './cli/replay-commands.ts';
import { addSessionCommands } from './cli/session-commands.ts';
import { addSkillCommands } from './cli/skill-commands.ts';

/** How long a clean shutdown may take before the process ends anyway. */
const SHUTDOWN_MS = 10_000;
/** A command was interrupted before it had done its work: as shells have it for SIGINT. */
const INTERRUPTED_EXIT_CODE = 130;

function processContext(signal: AbortSignal): ProcessContext {
  // Built, this file is one folder deeper: dist/src instead of src.
  const packageDirectory = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '..' : '../..', import.meta.url));
  const { version } = JSON.parse(readFileSync(join(packageDirectory, 'package.json'), 'utf8')) as { version: string };
  const { stdin, stdout, stderr, execPath: nodePath } = process;
  const environment = Object.fromEntries(Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined));
  return { environment, workingDirectory: process.cwd(), packageDirectory, nodePath, version, stdin, stdout, stderr, signal };
}

/** Each command is loaded when it is asked for: help must not wait for servers and bundlers. */
function commandLine(context: ProcessContext): Command {
  const program = new Command('ampoule')
    .description(
      'A sealed sandbox for code that agents write, as an MCP server: execute_code runs it, search_tools finds what it can call.',
    )
    .version(context.version)
    .showSuggestionAfterError()
    .exitOverride();
  const withConfig = (command: Command): Command =>
    command.option('-c, --config <file>', 'config file (default: ampoule.json here, else an example config)');
  const exitWith = (code: number): void => void (process.exitCode = code);
  const load = async <T>(command: () => Promise<T>): Promise<T> => {
    await useCompileCache(context.environment, context.packageDirectory);
    return command();
  };
  withConfig(program.command('serve'))
    .description('serve MCP over Streamable HTTP, or over stdio')
    .option('--http <host:port>', 'address to listen on; port 0 picks a free one')
    .addOption(new Option('--stdio', 'serve one client over stdin and stdout').conflicts('http'))
    .action(async (options: { http?: string; stdio?: boolean; config?: string }) =>
      (await load(() => import('./cli/serve.ts'))).serve(context, options),
    );
  withConfig(program.command('run'))
    .argument('<file>', 'TypeScript program, or - for standard input')
    .description('run one program; exit code 0 only when it completed')
    .option('--input <json>', 'the value of `input` in the program')
    .option('--json', 'print the structured answer alone')
    .action(async (file: string, options: { input?: string; json?: boolean; config?: string }) =>
      exitWith(await (await load(() => import('./cli/run.ts'))).run(context, file, options)),
    );
  withConfig(program.command('generate'))
    .description('write the typed wrappers of all upstream servers')
    .action(async (options: { config?: string }) =>
      exitWith(await (await load(() => import('./cli/generate.ts'))).generate(context, options)),
    );
  withConfig(program.command('engine'))
    .description('build the engine when it is missing, and show what it can reach')
    .option('--rebuild', 'build it even if it is there')
    .action(async (options: { rebuild?: boolean; config?: string }) =>
      (await load(() => import('./cli/engine.ts'))).engine(context, options),
    );
  withConfig(program.command('build'))
    .argument('<file>', 'TypeScript program, or - for standard input')
    .description('write a program as a standalone WebAssembly component')
    .requiredOption('-o, --output <file>', 'file to write')
    .action(async (file: string, options: { output: string; config?: string }) =>
      (await load(() => import('./cli/build.ts'))).build(context, file, options),
    );
  addKeyCommands(program, { context, withConfig, load });
  addApprovalCommands(program, { context, withConfig, load });
  addAuditCommand(program, { context, withConfig, load });
  addExecutionCommands(program, { context, withConfig, load });
  addReplayCommands(program, { context, withConfig, load }, exitWith);
  addSessionCommands(program, { context, withConfig, load });
  addSkillCommands(program, { context, withConfig, load });
  addLoginCommands(program, { context, withConfig, load });
  return program;
}

/** The first signal, or the end of the terminal, asks for a clean end; the second, or too long a wait, gets one of the other kind. */
function shutdownSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(1);
      controller.abort();
      setTimeout(() => process.exit(1), SHUTDOWN_MS).unref();
    });
  }
  return controller.signal;
}

/** A pipe takes 64 KiB at once, and the rest as it is read: an end of the process would cut it off. Resolves too when nobody reads any more. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength === 0) return Promise.resolve();
  return new Promise((resolve) => {
    stream.once('error', () => resolve());
    stream.write('', () => resolve());
  });
}

async function main(): Promise<void> {
  // A library prints to stdout when this is set, and stdout belongs to MCP.
  delete process.env['VERBOSE'];
  const signal = shutdownSignal();
  try {
    await commandLine(processContext(signal)).parseAsync();
  } catch (error) {
    process.exitCode = error === signal.reason ? INTERRUPTED_EXIT_CODE : exitCodeOf(error);
    // What is wrong with a command line has been told already.
    if (error !== signal.reason && !(error instanceof CommanderError)) process.stderr.write(errorText(error));
  }
  await Promise.all([process.stdout, process.stderr].map(flushed));
  // Everything is closed: nothing that a library left open may keep the process.
  process.exit();
}

await main();
