import { expect, test } from 'vitest';
import { z } from 'zod';
import { advertise, advertiseUnchecked } from '../../src/server/tool-schema.ts';

const schema = z.strictObject({ name: z.string().min(1).describe('A name'), count: z.int().min(2).max(9).exactOptional(), any: z.int() });

function listed(advertised: ReturnType<typeof advertise>): unknown {
  return advertised['~standard'].jsonSchema.input({ target: 'draft-2020-12' });
}

test('arguments are listed without what every client would carry for nothing', () => {
  expect(listed(advertiseUnchecked(schema))).toEqual({
    type: 'object',
    properties: { name: { type: 'string', description: 'A name' }, count: { type: 'integer' }, any: { type: 'integer' } },
    required: ['name', 'any'],
  });
});

test('results are listed with what they are held to', () => {
  expect(listed(advertise(schema))).toMatchObject({
    properties: { name: { type: 'string', minLength: 1 }, count: { type: 'integer', minimum: 2, maximum: 9 }, any: { type: 'integer' } },
  });
  expect(listed(advertise(schema))).not.toHaveProperty('$schema');
  expect(JSON.stringify(listed(advertise(schema)))).not.toContain(String(Number.MAX_SAFE_INTEGER));
});
