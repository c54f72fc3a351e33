import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startAdapter } from './adapter.ts';
import { ERAS, inspect } from './inspector.ts';
import { judge, readRows, type Row } from './not-applicable.ts';
import { serve } from './served.ts';
import { REVISIONS, runSuite, type Output, type Side } from './suite.ts';

/** `npm run conformance`: the official MCP conformance suite on both sides of Ampoule, and the MCP Inspector in both eras. */

const HELP = `npm run conformance [-- --only server|client|inspector] [--verbose]

Runs the official MCP conformance suite against the server (in front of it an adapter that gives the suite's tools to programs) and
against the client that speaks to upstream servers, for the revisions ${REVISIONS.join(' and ')}, and calls execute_code with the
MCP Inspector's command line in both eras. What has no subject here is listed with its reason in docs/conformance.md; anything else
that fails, and anything listed there that passes, is a fault. With --verbose all that the processes write to standard error is shown.
`;
const CLIENT = fileURLToPath(new URL('./client.ts', import.meta.url));
const PARTS = ['server', 'client', 'inspector'] as const;
const PROGRAM = "import * as suite from 'servers/suite';\nreturn await suite.testSimpleText({});";
const SAYS = 'This is a simple text response for testing.';

let faults = 0;

const { values } = parseArgs({ options: { only: { type: 'string' }, help: { type: 'boolean' }, verbose: { type: 'boolean' } } });
const errors = values.verbose === true ? 'inherit' : 'ignore';
const parts = PARTS.filter((part) => values.only === undefined || values.only === part);
if (values.help === true) say(HELP.trimEnd());
else if (parts.length === 0) {
  process.stderr.write(`--only takes one of ${PARTS.join(', ')}, not "${values.only}".\n`);
  process.exitCode = 2;
} else await conform();

async function conform(): Promise<void> {
  const output = { directory: await mkdtemp(join(tmpdir(), 'ampoule-conformance-results-')), errors } as const;
  try {
    const rows = await readRows();
    if (parts.includes('server')) await conformServer(rows, output);
    const command = [process.execPath, CLIENT].map((part) => JSON.stringify(part)).join(' ');
    if (parts.includes('client')) await conformSide('client', command, rows, output);
    if (parts.includes('inspector')) await conformInspector();
  } finally {
    await rm(output.directory, { recursive: true, force: true });
  }
  say(`conformance: ${faults} ${faults === 1 ? 'fault' : 'faults'}`);
  if (faults > 0) process.exitCode = 1;
}

async function conformServer(rows: readonly Row[], output: Output): Promise<void> {
  await using served = await serve(errors);
  await using adapter = await startAdapter(served.url);
  await conformSide('server', adapter.url, rows, output);
}

async function conformSide(side: Side, subject: string, rows: readonly Row[], output: Output): Promise<void> {
  for (const revision of REVISIONS) {
    const ended = await runSuite(side, revision, subject, output);
    const verdict = judge(ended, rows, side, revision);
    say(`${side} ${revision}: ${verdict.passed} of ${ended.length} scenarios passed, ${verdict.listed} have no subject here`);
    if (ended.length === 0) fault('the suite ran nothing');
    for (const { scenario, check, message } of verdict.faults) fault(`${scenario}, ${check}: ${message}`);
    for (const name of verdict.stale) fault(`${name} is listed in docs/conformance.md for ${side} ${revision}, and does not fail`);
  }
}

async function conformInspector(): Promise<void> {
  await using served = await serve(errors);
  for (const era of ERAS) {
    const { result } = (await inspect(served.url, era, PROGRAM)) as { result?: unknown };
    if (result === SAYS) say(`inspector ${era}: execute_code answered`);
    else fault(`the Inspector got ${JSON.stringify(result)} in the ${era} era`);
  }
}

function fault(text: string): void {
  faults++;
  say(`  fault: ${text}`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
