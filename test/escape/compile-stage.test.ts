import { describe, expect, test } from 'vitest';
import { attackCompileStage, IMPORT, SECRET, SYNTAX, THROWN, TYPES, type Case } from './compile-attack.ts';

/** Programs that attack what reads, checks and bundles them: by imports, by text that breaks out, by directives. */
const { ampoule, all } = attackCompileStage();

const FORM = 'ERR_BUNDLE_FORM';

describe('paths and schemes in imports', () => {
  const refused = [
    '/etc/passwd',
    './hijack.ts',
    '../hijack',
    '#internal',
    'file:///etc/passwd',
    'FILE:///etc/passwd',
    'data:text/javascript,export default 1',
    'https://example.com/x.js',
    '//example.com/x.js',
    'node:fs',
    'fs/promises',
    'bun:ffi',
    'npm:tiny',
    'jsr:@a/b',
    'blob:abc',
    'javascript:alert(1)',
    '\\\\\\\\server\\\\share',
    'tiny/../../secret.txt',
    'tiny\\\\..\\\\..\\\\secret.txt',
    'tiny?raw',
    'tiny#x',
    'tiny\\0',
    'servers/../hijack',
    'servers/office/../../hijack',
    'ampoule/../hijack',
    'a/'.repeat(50_000),
    '\\u0000\\u001b[2J\\u202e',
  ];
  test.each([
    (specifier: string) => `import * as x from "${specifier}"; return x`,
    (specifier: string) => `export * from "${specifier}"; return 1`,
    (specifier: string) => `import type * as x from "${specifier}"; return 1`,
    (specifier: string) => `return import("${specifier}")`,
  ])('each is refused in the form %s', async (form) => {
    for (const specifier of refused) {
      const { output } = await ampoule().execute(form(specifier));
      expect(output.error?.code).toBe(IMPORT);
      expect(output.error?.message.length).toBeLessThan(300);
      expect(JSON.stringify(output)).not.toContain(SECRET);
    }
  });
  all([
    [
      'names that the folder’s own files would lead elsewhere',
      'import { callTool } from "ampoule"; import * as o from "servers/office"; return [String(callTool).includes("SECRET"), typeof o.customers]',
      { value: [false, 'function'] },
    ],
    ['a percent sign for dots', 'import x from "tiny/%2e%2e/%2e%2e/secret.txt"; return x as unknown', IMPORT, 1],
    ['a file that is not JavaScript', 'import x from "tiny/../tiny/index.js"; return x as unknown', IMPORT],
    ['types of files', 'let x: typeof import("./hijack.ts") | typeof import("/etc/passwd"); return 1', TYPES],
    [
      'a triple-slash path, type and library',
      '/// <reference path="./secret.txt" />\n/// <reference types="evil" />\n/// <reference lib="dom" />\nreturn typeof document',
      TYPES,
      4,
    ],
    ['a global of the folder’s types', 'return evilGlobal', TYPES],
    [
      'a module declared by the program',
      'declare module "fs" { export const evil: string }\nimport { evil } from "fs";\nreturn evil',
      IMPORT,
      2,
    ],
    [
      'all modules declared by the program',
      'declare module "*" { const x: any; export default x }\nimport x from "secret.txt";\nreturn x',
      IMPORT,
      2,
    ],
    [
      'an export declared for a server',
      'declare module "servers/office" { export function evil(): 1 }\nimport * as o from "servers/office";\nreturn o.evil()',
      IMPORT,
      3,
    ],
    ['globals declared by the program are not there', 'declare const process: any;\nreturn process.env', THROWN, 2],
    [
      'export * twice over',
      'export * from "ampoule"; export * as all from "ampoule"; export { log as l } from "ampoule"; return 1',
      { value: 1 },
    ],
    ['the same export twice', 'export const a = 1; export { a }; return 1', [TYPES, SYNTAX]],
    ['two default exports', 'export default 1;\nexport default 2', SYNTAX, 2],
    ['a default export from another module', 'export { log as default } from "ampoule"', FORM],
    ['an export with a text for its name', 'const a = 5; export { a as "default", a as "x y" }', { value: 5 }],
    ['exports that every object has', 'import { constructor as c } from "ampoule"; return typeof c', IMPORT],
    ['__proto__ as an export', 'import { __proto__ as c } from "ampoule"; return typeof c', IMPORT],
    ['attributes', 'import x from "tiny" with { type: "json" }; return x', IMPORT],
    ['assertions of old', 'import x from "tiny" assert { type: "json" }; return x', SYNTAX],
    ['import defer and import source', 'import defer * as x from "tiny";\nimport source y from "tiny"; return 1', SYNTAX, 1],
    ['import.meta in disguise', 'return import /* . */ . m\\u0065ta?.url', IMPORT],
    ['require', 'const x = require("fs"); return x', IMPORT],
    ['import = require', 'import x = require("fs"); return x', IMPORT],
    ['import = a global', 'export import O = globalThis.Object; return typeof O', { value: 'function' }],
  ]);
  all(
    [
      'import("ti" + "ny")',
      'import(`${"fs"}`)',
      'import(String.raw`fs`)',
      'import(("x", "fs"))',
      'import(...["fs"])',
      'import("fs" as string)',
      'import(true ? "fs" : "x")',
      'import("tiny", { with: { type: "json" } })',
      'im\\u0070ort("fs")',
      'import(/* @vite-ignore */ (("fs")))',
    ].map((form): Case => [`a dynamic import by ${form}`, `return await ${form}`, IMPORT, 1]),
  );
});

describe('break-out from the text, and names of ours', () => {
  all([
    ['an end of the function around it', '};\nreturn 7;})();\n//', SYNTAX, 1],
    ['the very text of the end', 'return 1;\n};\nreturn $ampouleProgram();})();\n//# sourceURL=program.js\n', SYNTAX, 2],
    ['the very text of the begin', '"use strict";return (async () => {let $ampouleProgram;return 7})()', { value: 7 }],
    ['an open comment', 'return 1 /*', SYNTAX, 1],
    ['an open template', 'return `${', SYNTAX],
    ['an open regular expression', 'return /[', SYNTAX, 1],
    ['a closing brace behind a line separator in a comment', '// x\u2029 } globalThis.z = 1; { return 6', SYNTAX],
    ['a line separator that ends a comment', '// x\u2028 return 5', { value: 5 }],
    ['an HTML comment', '<!-- }\nreturn 1', SYNTAX],
    ['an end of an HTML comment that is an operator', 'let a = 3; while (a --> 0) {} return a', { value: -1 }],
    ['an end of an HTML comment on a line of its own', 'let a = 3\n--> 0; return a', SYNTAX],
    ['a namespace that closes what is around it', 'namespace N { export const x = 1 } }\nnamespace M { return 2', SYNTAX, 1],
    [
      'imports under names that the bundle uses',
      'import { log as $ampouleProgram, callTool as $ampoule0, sleep as $ampoule1 } from "ampoule"; export default [typeof $ampouleProgram, typeof $ampoule0, typeof $ampoule1]',
      { value: ['function', 'function', 'function'] },
    ],
    [
      'the same with escapes',
      'import { log as $ampoule\\u0050rogram, callTool as $ampoul\\u00650, sleep as $re\\u{73}ult } from "ampoule"; export default [typeof $ampoule\\u0050rogram, typeof $ampoul\\u00650, typeof $re\\u{73}ult]',
      { value: ['function', 'function', 'function'] },
    ],
    [
      'declarations under names that the bundle uses, with escapes',
      'let $re\\u0073ult = 5; var $ampoul\\u00650 = 6; const $ampoule\\u0050rogram = 7; export default 3',
      { value: 3 },
    ],
    [
      'every longer name as well',
      `${Array.from({ length: 300 }, (_, i) => `let $result${'_'.repeat(i)} = 1;`).join('')} export default 8`,
      { value: 8 },
    ],
    [
      'a namespace that is split where its parts are',
      'namespace N { export const a = 1; $n\\u0065xt(); } function $next() {} namespace N { export const b = 2 } return [N.a, N.b]',
      { value: [1, 2] },
    ],
    [
      'the module under a name of the runtime',
      'import * as input from "ampoule"; import { log as Object } from "ampoule"; import * as office from "servers/office"; return [typeof input.log, typeof office.customers]',
      { value: ['function', 'function'] },
    ],
    [
      'a poisoned program calls the tool that it names, and no other',
      'import * as office from "servers/office"; Object.prototype.server = "evil"; Object.prototype.tool = "remove"; Array.prototype[0] = "evil"; try { await office.customers({ n: 1 }) } catch {} delete Object.prototype.server; delete Object.prototype.tool; delete Array.prototype[0]; return 1',
      [TYPES, 'completed'],
    ],
  ]);
  test('calls are told as they were made, whatever the program did to its prototypes', async () => {
    const poison = 'for (const k of ["server", "tool", "ok", "ms"]) (Object.prototype as any)[k] = "evil"; JSON.stringify = () => "{}";';
    const { output } = await ampoule().execute(
      `import { callTool } from "ampoule"; ${poison} try { await callTool("office", "customers", {}) } catch {} return 1`,
    );
    expect(output.calls.map(({ server, tool }) => [server, tool])).toEqual([['office', 'customers']]);
  });
});

describe('directives and pragmas', () => {
  const wrong = 'const x: number = "s"; return x';
  all([
    ...[
      '// @ts-nocheck',
      '/* @ts-nocheck */',
      '\uFEFF// @ts-nocheck',
      '#!/x\n// @ts-nocheck',
      '/// <reference no-default-lib="true"/>\n// @ts-nocheck',
    ].map((head): Case => [`no check is turned off by ${JSON.stringify(head)}`, `${head}\n${wrong}`, TYPES]),
    ['no check is turned off in a fence', `\`\`\`ts\n// @ts-nocheck\n${wrong}\n\`\`\``, TYPES, 3],
    ['one line is silenced, and not a program in one line', `// @ts-ignore\n${'/* */'.repeat(60)}${wrong}`, TYPES, 2],
    ['more than a few lines are not', `${'// @ts-ignore\nconsole.log(1 as never);\n'.repeat(5)}// @ts-ignore\n${wrong}`, TYPES],
    ['an unused expectation is an error', '// @ts-expect-error\nreturn 1', TYPES, 1],
    ['pragmas of JSX', '/** @jsx evil @jsxImportSource fs @jsxRuntime automatic */\nreturn 1', { value: 1 }],
    ['JSX itself', 'return <div>hi</div>', SYNTAX],
    ['a source map of a file', 'throw new Error("x")\n//# sourceMappingURL=file:///etc/passwd', THROWN, 1],
    [
      'a source map of data, which would move places',
      '\n\nthrow new Error("x")\n//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJzb3VyY2VzIjpbIngiXSwibWFwcGluZ3MiOiJBQUFBIn0=',
      THROWN,
      3,
    ],
    ['a source URL', '\nthrow new Error("x")\n//# sourceURL=/etc/passwd', THROWN, 2],
    ['a source URL in the middle', '//@ sourceURL=file:///x.js\nthrow new Error("x")', THROWN, 2],
    ['"use asm" and "use client"', '"use asm"; "use client"; return 1', { value: 1 }],
    ['amd directives', '/// <amd-module name="x"/>\n/// <amd-dependency path="fs"/>\nreturn 1', { value: 1 }],
    ['sloppy statements', 'with ({}) {}', SYNTAX],
    ['legacy octals', 'return 010', SYNTAX],
  ]);
});
