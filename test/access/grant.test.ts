import { expect, test } from 'vitest';
import { allows, isGrantGlob } from '../../src/access/grant.ts';

test.each<[string[], string, string, boolean]>([
  [['github.*'], 'github', 'list_issues', true],
  [['github.*'], 'github', 'a.b/c', true],
  [['github.*'], 'gitlab', 'list_issues', false],
  [['github.*'], 'github.enterprise', 'list_issues', false],
  [['github.*'], 'my-github', 'x', false],
  [['github.enterprise.*'], 'github.enterprise', 'x', true],
  [['github.list_*'], 'github', 'list_issues', true],
  [['github.list_*'], 'github', 'delete', false],
  [['github.list'], 'github', 'list_all', false],
  [['*.read_*'], 'files', 'read_file', true],
  [['*.read_*'], 'files', 'write_file', false],
  [['files.read', 'mail.send'], 'mail', 'send', true],
  [['files.read', 'mail.send'], 'files', 'send', false],
  [['*'], 'anything', 'at.all', true],
  [[], 'files', 'read', false],
  [['!files.read'], 'mail', 'send', false],
  [['constructor.*'], '__proto__', 'x', false],
])('the grant %j for %s.%s: %j', (grant, server, tool, expected) => {
  expect(allows(grant, server, tool)).toBe(expected);
});

test.each(['*', 'a.b', 'a.*', '*.*', 'a.b.c', 'x'.repeat(100) + '.y'])('%.20s can be a glob of a grant', (glob) => {
  expect(isGrantGlob(glob)).toBe(true);
});

test.each(['', 'a', '.a', 'a.', 'a b.c', 'a.b c', 'x'.repeat(200) + '.y', '**'])('%.20j cannot', (glob) => {
  expect(isGrantGlob(glob)).toBe(false);
});
