import { expect, test } from 'vitest';
import { Vocabulary } from '../../src/discovery/vocabulary.ts';

function of(...words: string[]): Vocabulary {
  const vocabulary = new Vocabulary();
  for (const word of words) vocabulary.add(word);
  return vocabulary;
}

test('a word is known by itself, or from three letters on by its beginning', () => {
  const vocabulary = of('message', 'id');
  const known = ['message', 'mes', 'messa', 'id', 'me', 'i', 'messages', 'sage', '', 'constructor', '__proto__'];
  expect(known.filter((word) => vocabulary.knows(word))).toEqual(['message', 'mes', 'messa', 'id']);
});

test('near are words of the same first letter, whatever others are nearer, and not the word itself', () => {
  const vocabulary = of('bait', 'gait', 'wait', 'mint', 'mait', 'ma', 'manufacturer');
  expect(vocabulary.near('mait')).toEqual(['mint']);
  expect(vocabulary.near('')).toEqual([]);
});
