import { expect, test } from 'vitest';
import { withAgentPositions } from '../../src/result/log-positions.ts';
import { bundle } from './outcome-fixture.ts';

test('the stack of a logged error names places in the code of the agent', () => {
  const message =
    'failed Error: x\n    at f (program.js:103:29)\n    at $ampouleProgram (program.js:102:2)\n    at listIssues (program.js:7:1)';
  expect(withAgentPositions(message, bundle)).toBe('failed Error: x\n    at f (line 3, column 29)\n    at line 2, column 2');
});

test('a message that only mentions such a place stays as it is', () => {
  for (const message of ['see program.js:103:29 there', 'at program.js:103', 'program.js:']) {
    expect(withAgentPositions(message, bundle)).toBe(message);
  }
});

test("a place in a skill is told as the skill's", () => {
  const located = { ...bundle, locate: () => ({ line: 8, column: 9, source: 'throw x;', module: 'skills/triage' }) };
  const shown = withAgentPositions('Error: x\n    at fail (program.js:3:29)\n    at program.js:4:1', located);
  expect(shown).toBe('Error: x\n    at fail (skills/triage line 8, column 9)\n    at skills/triage line 8, column 9');
});
