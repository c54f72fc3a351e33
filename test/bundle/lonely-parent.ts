import { Scanner } from '../../src/bundle/scanner.ts';
import { endlessText } from './scanner-fixture.ts';

// A process with nothing but parsers in it: `scanner.test.ts` looks what becomes of the one when the other ends.
const scanner = new Scanner();
await scanner.scan('return 1', 60_000);
const doing = process.argv[2];
if (doing === 'parse') {
  const parsing = scanner.scan(endlessText(), 60_000);
  process.stdout.write('parsing\n');
  await parsing;
}
if (doing === 'close') await scanner[Symbol.asyncDispose]();
process.stdout.write(`${doing}\n`);
