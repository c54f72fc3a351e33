import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { openOurs, runOnNode } from './differential.ts';

const TEXT = readFileSync(new URL('conformance/assertions.txt', import.meta.url), 'utf8');
const DOCUMENT = readFileSync(new URL('../../docs/compatibility.md', import.meta.url), 'utf8');
const SECTION = '## Features of the standard';
const ENGINES = ['quickjs', 'starlingmonkey'] as const;
/** Node 24 is older than these, which shows nothing of the assertions. */
const NEWER_THAN_NODE = ['Math.sumPrecise', 'Temporal plain dates', 'base64 and hex of bytes', 'getOrInsert', 'Iterator.concat'];

interface Assertion {
  readonly clause: string;
  readonly name: string;
  /** An expression that is true, or a promise of it. */
  readonly code: string;
}

/** `#### clause`, and below it lines of `name :: expression`. */
function readAssertions(): Assertion[] {
  let clause = '';
  return TEXT.split('\n').flatMap((line) => {
    if (line.startsWith('#### ')) clause = line.slice(5);
    const at = line.indexOf(' :: ');
    return at < 0 ? [] : [{ clause, name: line.slice(0, at), code: line.slice(at + 4) }];
  });
}

const assertions = readAssertions();
const clauses = [...new Set(assertions.map(({ clause }) => clause))];

/** The program of a clause: a line for each assertion, with its name and whether it passes. */
function programOf(clause: string): string {
  const checks = assertions
    .filter((one) => one.clause === clause)
    .map(({ name, code }) => `await check(${JSON.stringify(name)}, async () => (${code}));`);
  return `const lines = [];
const check = async (name, work) => { try { lines.push(\`\${(await work()) === true ? 'passes' : 'fails'} \${name}\`); } catch (thrown) { lines.push(\`fails \${name}\`); } };
${checks.join('\n')}
return lines.join('\\n');
`;
}

/** The assertions that the document says an engine fails. */
function listed(engine: string): string[] {
  const section = DOCUMENT.split(SECTION)[1]?.split('\n## ')[0] ?? '';
  const rows = [
    ...section.matchAll(/^\| (?<name>[^|]+) \| (?<quickjs>passes|fails) \| (?<starlingmonkey>passes|fails) \| (?<why>[^|]+) \|$/gmu),
  ];
  expect(rows.length, 'rows of the table').toBe([...section.matchAll(/^\|/gmu)].length - 2);
  for (const { groups } of rows) expect(groups?.['why']?.trim()).not.toBe('');
  return rows.flatMap(({ groups }) => (groups?.[engine] === 'fails' ? [groups['name']?.trim() ?? ''] : []));
}

function failing(outputs: readonly string[]): string[] {
  return outputs.flatMap((output) =>
    output.split('\n').flatMap((line) => (line.startsWith('passes ') ? [] : [line.replace(/^fails /u, '')])),
  );
}

const ours = openOurs();

test('there are names for at least 150 assertions, each once, and all that the document lists are among them', () => {
  const names = assertions.map(({ name }) => name);
  expect(names.length).toBeGreaterThanOrEqual(150);
  expect(new Set(names).size).toBe(names.length);
  for (const engine of ENGINES) expect(listed(engine).filter((name) => !names.includes(name))).toEqual([]);
});

test('the assertions are right: plain Node passes all but what it does not have yet', async () => {
  expect(failing(await runOnNode(clauses.map(programOf))).toSorted()).toEqual(NEWER_THAN_NODE.toSorted());
});

describe('the engine passes all but what docs/compatibility.md lists', () => {
  let outputs: Map<string, string>;
  beforeAll(async () => {
    outputs = new Map();
    for (const clause of clauses) outputs.set(clause, await ours.run(programOf(clause)));
  });
  test.each(clauses)('%s', (clause) => {
    const names = assertions.flatMap((one) => (one.clause === clause ? [one.name] : []));
    const lines = outputs.get(clause)?.split('\n') ?? [];
    expect(lines.map((line) => line.replace(/^\w+ /u, ''))).toEqual(names);
    expect(failing(lines)).toEqual(names.filter((name) => listed(inject('engineKind')).includes(name)));
  });
});
