import { expect, test } from 'vitest';
import { RunRecorder } from '../../../src/execute/worker/run-recorder.ts';
import { MAX_HISTORY_FILES, MAX_HISTORY_STEPS } from '../../../src/execute/worker-protocol.ts';

test('what was recorded is taken once, in order', () => {
  const recorder = new RunRecorder();
  expect(recorder.take()).toBeUndefined();
  recorder.step([1, 2, 3]);
  recorder.file({ path: 'a/b', bytes: 1, hash: 'x' });
  recorder.step([4]);
  expect(recorder.take()).toEqual({ steps: [[1, 2, 3], [4]], files: [{ path: 'a/b', bytes: 1, hash: 'x' }] });
  expect(recorder.take()).toBeUndefined();
});

test('a file that is read again is told again only when it has changed', () => {
  const recorder = new RunRecorder();
  for (const hash of ['x', 'x', 'y', 'y', 'x']) recorder.file({ path: 'a/b', bytes: 1, hash });
  expect(recorder.take()?.files.map(({ hash }) => hash)).toEqual(['x', 'y', 'x']);
});

test('it says when so much is there that it has to be taken: steps', () => {
  const recorder = new RunRecorder();
  for (let i = 1; i < MAX_HISTORY_STEPS; i++) expect(recorder.step([i])).toBe(false);
  expect(recorder.step([0])).toBe(true);
});

test('it says when so much is there that it has to be taken: files', () => {
  const recorder = new RunRecorder();
  for (let i = 1; i < MAX_HISTORY_FILES; i++) expect(recorder.file({ path: `a/${i}`, bytes: 0, hash: '' })).toBe(false);
  expect(recorder.file({ path: 'a/0', bytes: 0, hash: '' })).toBe(true);
});
