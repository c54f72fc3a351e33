import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const HOOK = /^(?:before|after)(?:All|Each)\(/mu;
const OPENED = /^export (?:const|let) .*= await /mu;

test('a module that test files share opens nothing and has no hooks of its own: it is loaded once for all files of a process, whose first would end it', () => {
  const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' });
  const shared = files.filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
  expect(shared.length).toBeGreaterThan(100);
  const wrong = shared.filter((file) => {
    const text = readFileSync(join(FOLDER, file), 'utf8');
    return HOOK.test(text) || OPENED.test(text);
  });
  expect(wrong).toEqual([]);
});
