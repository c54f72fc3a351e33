import { Command } from 'commander';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { addApprovalCommands } from '../../src/cli/approvals-commands.ts';
import type { ProcessContext } from '../../src/cli/command.ts';
import { addExecutionCommands } from '../../src/cli/executions-commands.ts';
import { addReplayCommands } from '../../src/cli/replay-commands.ts';

/** What `docs/executions.md` lists: a line for each form, as `ampoule approvals show|approve|refuse ID`. */
function documented(): { words: string[]; options: string[] }[] {
  const page = readFileSync(new URL('../../docs/executions.md', import.meta.url), 'utf8');
  return [...page.matchAll(/^ampoule (.*?)(?: {2,}.*)?$/gm)].map(([, line = '']) => ({
    words: line.split(/[ |[\]]+/).filter((word) => /^[a-z]+$/.test(word)),
    options: line.match(/--[a-z]+/g) ?? [],
  }));
}

/** The commands themselves, by name, with the options of those that have no further word. */
function commands(): Map<string, { words: string[]; options: string[] }> {
  const program = new Command('ampoule');
  const frame = {
    context: {} as ProcessContext,
    withConfig: (command: Command) => command,
    load: <T>(command: () => Promise<T>) => command(),
  };
  addExecutionCommands(program, frame);
  addApprovalCommands(program, frame);
  addReplayCommands(program, frame, () => undefined);
  return new Map(
    program.commands.map((command) => {
      const words = command.commands.map((one) => one.name()).filter((name) => name !== 'help');
      return [command.name(), { words, options: words.length > 0 ? [] : command.options.map(({ long }) => String(long)) }];
    }),
  );
}

test('the page on executions lists each command with all its words and options, and no other', () => {
  const listed = new Map<string, { words: string[]; options: string[] }>();
  for (const { words, options } of documented()) {
    const [name = '', ...rest] = words;
    const before = listed.get(name) ?? { words: [], options: [] };
    listed.set(name, { words: [...before.words, ...rest].toSorted(), options: [...before.options, ...options].toSorted() });
  }
  const there = [...commands()].map(
    ([name, { words, options }]) => [name, { words: words.toSorted(), options: options.toSorted() }] as const,
  );
  expect(Object.fromEntries(listed)).toEqual(Object.fromEntries(there));
});
