import { readFileSync } from 'node:fs';
import { expect, inject, test } from 'vitest';
import { languageTypes } from '../../src/check/compiler-libs.ts';
import { typescriptFolder } from '../../src/check/type-server.ts';
import { readDeclarations } from '../check/declared.ts';
import { openOurs } from './differential.ts';

const { script, modules } = languageTypes(typescriptFolder(), inject('engineKind'));
const own = readFileSync(new URL('../../host-functions/guest/globals.d.ts', import.meta.url), 'utf8');
const declared = readDeclarations([script, ...modules, own]);

const ours = openOurs();

/** What TypeScript declares as a class's own and its subclasses have to bring. */
const ABSTRACT = new Set(['Iterator.prototype.next']);
/** The names of the language that are no declarations. */
const KEYWORDS = new Set(['globalThis', 'undefined']);
/** Outdated members, those that objects inherit with the same meaning, and methods that TypeScript declares of the interface of iterators. */
const UNDECLARED =
  /^(?:Object\.prototype\.__|Date\.prototype\.(?:getYear|setYear|toGMTString)$|RegExp\.(?:\$|input$|last|leftContext$|rightContext$)|RegExp\.prototype\.toString$|Error\.prototype\.toString$|Boolean\.prototype\.toString$|DOMException\.[A-Z_]+$|Iterator\.prototype\.|.*\.\[toStringTag\]$)/u;

const LOOK_UP = `const keyOf = (part) => (part.startsWith("[") ? Symbol[part.slice(1, -1)] : part);
const exists = (path) => {
  let owner = globalThis;
  const parts = path.match(/\\[\\w+\\]|[^.]+/g);
  for (const [at, part] of parts.entries()) {
    if (!(keyOf(part) in Object(owner))) return false;
    if (at < parts.length - 1) owner = owner[keyOf(part)];
  }
  return true;
};`;

test('all that the checker declares exists in the engine', async () => {
  const paths = [...declared.values, ...declared.members].filter((path) => !ABSTRACT.has(path));
  expect(paths.length).toBeGreaterThan(900);
  const code = `${LOOK_UP}\nreturn JSON.stringify(${JSON.stringify(paths)}.filter((path) => !exists(path)));`;
  expect(JSON.parse(await ours.run(code))).toEqual([]);
});

test('every global that exists is declared, and so are its functions', async () => {
  const code = `const skipped = /^(?:length|name|prototype|constructor|arguments|caller)$/;
const nameOf = (key) => (typeof key === "symbol" ? "[" + key.description.replace("Symbol.", "") + "]" : key);
const found = [];
for (const name of Object.getOwnPropertyNames(globalThis)) {
  found.push(name);
  const value = globalThis[name];
  if (value === globalThis || Object(value) !== value) continue;
  for (const key of Reflect.ownKeys(value)) if (!skipped.test(nameOf(key))) found.push(name + "." + nameOf(key));
  for (const key of typeof value === "function" && value.prototype ? Reflect.ownKeys(value.prototype) : []) {
    const isMethod = typeof Object.getOwnPropertyDescriptor(value.prototype, key).value === "function";
    if (isMethod && !skipped.test(nameOf(key))) found.push(name + ".prototype." + nameOf(key));
  }
}
return JSON.stringify(found);`;
  const found = JSON.parse(await ours.run(code)) as string[];
  expect(found).toContain('Array.prototype.toSorted');
  const known = (path: string): boolean => declared.values.has(path) || declared.members.has(path) || KEYWORDS.has(path);
  expect(found.filter((path) => !known(path) && !UNDECLARED.test(path))).toEqual([]);
});
