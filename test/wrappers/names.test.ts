import { expect, test } from 'vitest';

import { camelCase, folderName, pascalCase, uniqueNames } from '../../src/wrappers/names.ts';

test.each([
  ['read_text_file', 'readTextFile'],
  ['read-text-file', 'readTextFile'],
  ['readTextFile', 'readTextFile'],
  ['read.text/file', 'readTextFile'],
  ['GitHub.search/Issues', 'gitHubSearchIssues'],
  ['GET_USER', 'getUser'],
  ['XMLParser', 'xmlParser'],
  ['listURLs', 'listURLs'],
  ['api_v2_list', 'apiV2List'],
  ['Echo', 'echo'],
  ['X', 'x'],
  ['café_à_la_carte', 'cafeALaCarte'],
  ['__private__', 'private_'],
  ['delete', 'delete_'],
  ['then', 'then_'],
  ['index', 'index_'],
  ['callTool', 'callTool_'],
  ['call_tool', 'callTool_'],
  ['undefined', 'undefined_'],
  ['fetch', 'fetch'],
  ['2fa', 'tool2fa'],
])('the tool %j is the function %s', (name, expected) => {
  expect(camelCase(name)).toBe(expected);
});

test.each(['', '検索', '😀', '---', '\u202e'])('the tool %j, of which no letter can be kept, gets a name from its hash', (name) => {
  expect(camelCase(name)).toMatch(/^tool_[0-9a-f]{8}$/);
  expect(camelCase(name)).toBe(camelCase(name));
});

test('a type name starts with a capital and drops the underscore of a reserved word', () => {
  expect([pascalCase('listIssues'), pascalCase('delete_')]).toEqual(['ListIssues', 'Delete']);
});

test.each([
  ['github', 'github'],
  ['my-server_2.0', 'my-server_2.0'],
  ['GitHub', 'GitHub'],
  ['my server', 'my-server'],
  ['../../etc/passwd', 'etc-passwd'],
  ['a/b\\c', 'a-b-c'],
  ['.hidden.', 'hidden'],
  ['CON', 'CON-'],
  ['nul.txt', 'nul.txt-'],
  ['manifest.json', 'manifest.json-'],
  ['README.md', 'README.md-'],
])('the server %j is the folder %s', (name, expected) => {
  expect(folderName(name)).toBe(expected);
});

test('of several tools that want one name, the one spelled like it keeps it', () => {
  const names = uniqueNames(['read_text_file', 'read-text-file', 'readTextFile'], camelCase, '_');
  expect(names.get('readTextFile')).toBe('readTextFile');
  expect(names.get('read_text_file')).toMatch(/^readTextFile_[0-9a-f]{6}$/);
  expect(names.get('read-text-file')).toMatch(/^readTextFile_[0-9a-f]{6}$/);
  expect(new Set(names.values()).size).toBe(3);
});

test('without such a one the first by code units keeps it, in every order of listing', () => {
  const names = uniqueNames(['read_text_file', 'read-text-file'], camelCase, '_');
  expect(names.get('read-text-file')).toBe('readTextFile');
  expect(Object.fromEntries(uniqueNames(['read-text-file', 'read_text_file'], camelCase, '_'))).toEqual(Object.fromEntries(names));
});

test('names that differ by case only are told apart', () => {
  const names = [...uniqueNames(['readFile', 'readfile', 'READFILE'], camelCase, '_').values()];
  expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(3);
  const folders = [...uniqueNames(['github', 'GitHub', 'git hub', 'git-hub'], folderName, '-')];
  expect(Object.fromEntries(folders)).toMatchObject({ 'git-hub': 'git-hub', GitHub: 'GitHub' });
  expect(new Set(folders.map(([, folder]) => folder.toLowerCase())).size).toBe(4);
});
