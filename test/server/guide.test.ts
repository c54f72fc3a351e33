import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import { expect, test } from 'vitest';
import { guideText } from '../../src/server/guide.ts';
import { sourceOf } from './describe-fixture.ts';

test('the guide names the servers, has an example of a real tool, and is the same for the same catalog', () => {
  const folders = { mail: [{ name: 'send' }], github: [{ name: 'listIssues', readOnly: true }, { name: 'drop' }] };
  const text = guideText(sourceOf(folders));
  expect(text).toContain('Servers: github (2), mail (1).');
  expect(text).toContain('import { listIssues } from "servers/github";');
  for (const word of ['search_tools', 'Promise.all', '"dryRun": true', '"session": "new"', 'wait_execution']) expect(text).toContain(word);
  expect(guideText(sourceOf(folders))).toBe(text);
});

test('the guide stays short, however many servers there are', () => {
  const folders = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`server${at}`, [{ name: 'run' }]]));
  const text = guideText(sourceOf(folders));
  expect(text).toContain('and 490 more.');
  expect(countTokens(text)).toBeLessThan(400);
});

test('the guide changes with the catalog', () => {
  const source = sourceOf({ a: [{ name: 'x' }] });
  const before = guideText(source);
  const other = { ...source, wrappers: { ...source.wrappers, tools: [] } };
  expect(guideText(other)).not.toBe(before);
  expect(guideText(other)).toContain('No server is connected');
});
