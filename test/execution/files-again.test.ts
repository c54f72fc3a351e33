import { expect, test } from 'vitest';
import type { FileRead } from '../../src/execute/run.ts';
import { FilesAgain } from '../../src/execution/files-again.ts';

function read(path: string, content: string): FileRead {
  return { path, bytes: content.length, hash: content };
}

const gone = (path: string): FileRead => ({ path, bytes: 0, hash: '' });

/** What comes of a run that reads these once more. */
function again(
  recorded: readonly FileRead[],
  files: readonly FileRead[],
): { told: readonly FileRead[]; difference?: string; missing?: string } {
  const all = new FilesAgain();
  all.recall(recorded);
  const told = all.take(files);
  const { difference, missing } = all;
  return { told, ...(difference !== undefined && { difference }), ...(missing !== undefined && { missing }) };
}

const [a, b, c] = [read('docs/a', 'one'), read('docs/b', 'two'), gone('docs/c')];

test('what is read again as it was is not told again, and what comes after it is', () => {
  const later = read('docs/a', 'later');
  expect(again([a, b, c], [a, b, c, later])).toEqual({ told: [later] });
  // A run that went on in another process told of the first one twice.
  expect(again([a, b, a, c], [a, b, c])).toEqual({ told: [] });
  expect(again([a, b], [a])).toEqual({ told: [], missing: 'The file "docs/b", which it had read, was not read again.' });
});

test.each([
  ['longer', read('docs/b', 'longer'), 'The file "docs/b", which it reads, has changed since: it had 3 bytes, and has 6 bytes now.'],
  [
    'as long',
    read('docs/b', 'six'),
    'The file "docs/b", which it reads, has changed since: it had 3 bytes, and has as many of another content now.',
  ],
  ['gone', gone('docs/b'), 'The file "docs/b", which it reads, has changed since: it had 3 bytes, and cannot be read any more.'],
  ['another', read('docs/\u001b"', 'two'), 'It had read the file "docs/b", and read "docs/\\u001b\\"" in its place.'],
])('a file that is %s now is named', (_, changed, difference) => {
  expect(again([a, b, c], [a, changed, read('docs/d', 'x')])).toMatchObject({ told: [], difference });
});

test('a file that was not there is named when it is', () => {
  const difference = 'The file "docs/c", which it reads, has changed since: it could not be read, and has 1 byte now.';
  expect(again([c], [read('docs/c', 'x')])).toMatchObject({ difference });
});

test('a run that goes on from its memory, or for the first time, may read what it likes', () => {
  const all = new FilesAgain();
  expect(all.take([a, a])).toEqual([a, a]);
  all.recall([a]);
  all.forget();
  expect([all.take([b]), all.difference, all.missing]).toEqual([[b], undefined, undefined]);
});
