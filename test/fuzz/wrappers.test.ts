import * as fc from 'fast-check';
import { expect } from 'vitest';
import { generateWrappers } from '../../src/wrappers/generate.ts';
import { catalog, QUIET, server, tool } from '../wrappers/catalogs.ts';
import { parseErrors, typeErrors } from '../wrappers/check-typescript.ts';
import { property } from './property.ts';
import { strangeSchema, strangeText } from './strange-schemas.ts';

const aTool = fc.record({
  name: strangeText,
  inputSchema: strangeSchema,
  outputSchema: fc.oneof({ weight: 3, arbitrary: strangeSchema }, fc.constant(undefined)),
  title: strangeText,
  description: strangeText,
});

type ATool = Parameters<Parameters<typeof aTool.map>[0]>[0];

function toolOf({ name, inputSchema, outputSchema, ...rest }: ATool): ReturnType<typeof tool> {
  return tool(name, inputSchema, { ...rest, ...(outputSchema === undefined ? {} : { outputSchema }) } as object);
}

property(
  'wrappers of any schemas parse, are the same in any order, and take no time',
  60,
  fc.tuple(strangeText, fc.array(aTool, { minLength: 1, maxLength: 3 })),
  async ([name, tools]) => {
    const listed = tools.map(toolOf);
    const from = performance.now();
    const set = await generateWrappers(catalog(server(name, listed)), {}, QUIET);
    expect(performance.now() - from).toBeLessThan(5_000);
    expect(await parseErrors(set.files)).toEqual([]);
    const again = await generateWrappers(catalog(server(name, listed.toReversed())), {}, QUIET);
    expect(again.hash).toBe(set.hash);
  },
);

// One check of types is some seconds, however many schemas it has.
property(
  'wrappers of any schemas pass the strict type check',
  1,
  fc.array(aTool, { minLength: 90, maxLength: 90, size: 'max' }),
  async (tools) => {
    const servers = tools.map((one, at) => server(`s${at}`, [toolOf(one)]));
    const set = await generateWrappers(catalog(...servers), {}, QUIET);
    expect(await typeErrors(set.files)).toBe('');
  },
);
