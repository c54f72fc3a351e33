import { CATALOG, openChecker, SIGNAL, wrappersOf } from './fixture.ts';

// A process that is killed in the middle of a check: `resilience.test.ts` looks whether the checker outlives it.
const checker = openChecker({ timeoutMs: 60_000 });
const wrappers = await wrappersOf(CATALOG);
await checker.warm(wrappers);
const running = checker.check({ code: process.argv[2] ?? '', wrappers }, SIGNAL);
process.stdout.write('checking\n');
await running;
