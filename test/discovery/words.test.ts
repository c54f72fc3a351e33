import { expect, test } from 'vitest';
import { bare, queryWords, synonymsOf, wordsOf } from '../../src/discovery/words.ts';

test.each([
  ['listIssues', ['list', 'issue', 'listissues']],
  ['list_issues', ['list', 'issue', 'listissues']],
  ['get-HTTPServer2', ['get', 'http', 'server2', 'gethttpserver2']],
  ['Sends the files.', ['send', 'the', 'file']],
  ['Café', ['cafe']],
  ['policies class status', ['policy', 'class', 'status']],
  ['日本語', ['日本語']],
  ['', []],
  ['... !', []],
])('the words of %j are %j', (text, words) => {
  expect(wordsOf(text)).toEqual(words);
});

test('a query is its telling words, each once, up to a number', () => {
  expect(queryWords('Please list the issues and the issues of a repo', 9)).toEqual(['list', 'issue', 'repo']);
  expect(queryWords('how to', 9)).toEqual(['how', 'to']);
  expect(queryWords('red green blue', 2)).toEqual(['red', 'green']);
});

test('other words for the same thing are those that the query does not have', () => {
  expect(synonymsOf(['delete', 'remove', 'issue'])).toEqual(['destroy', 'drop']);
  expect(synonymsOf(['issue'])).toEqual([]);
});

test('two spellings of a name are the same without its signs', () => {
  expect(bare('List_issues')).toBe(bare('list-Issues'));
});
