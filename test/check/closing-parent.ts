import { CATALOG, openChecker, SIGNAL, wrappersOf } from './fixture.ts';

// A process with nothing left but the end of its checker: `resilience.test.ts` looks whether it lives to see it.
const checker = openChecker();
const wrappers = await wrappersOf(CATALOG);
for (let at = 0; at < 5; at++) await checker.check({ code: `return ${at};`, wrappers }, SIGNAL);
await checker.close();
process.stdout.write('closed\n');
