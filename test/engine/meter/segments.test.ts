import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { COST_CALL, SEGMENT_LIMIT } from '../../../src/engine/meter/abi.ts';
import { instantiateMetered } from './metered-instance.ts';
import { assemble, interpret, program } from './programs.ts';

const SEED = 20_260_101;

test(`charges every instruction that is executed, and little more, in random programs (seed ${SEED})`, () => {
  let longest = 0;
  fc.assert(
    fc.property(program, fc.integer(), (nodes, x) => {
      const charged = instantiateMetered(assemble(nodes)).costOf('run', x);
      const { instructions, calls, boundaries } = interpret(nodes, x);
      longest = Math.max(longest, instructions);
      expect(charged).toBeGreaterThanOrEqual(instructions);
      expect(charged).toBeLessThanOrEqual(instructions + calls * COST_CALL + boundaries * (SEGMENT_LIMIT + 1));
    }),
    { seed: SEED, numRuns: 300 },
  );
  expect(longest).toBeGreaterThan(1000);
});

test('charges a straight function exactly', () => {
  const nodes = [{ kind: 'work' as const, count: 5000 }];
  expect(instantiateMetered(assemble(nodes)).costOf('run', 1)).toBe(3 - 1 + COST_CALL + 5000);
});
