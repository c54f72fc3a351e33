import { expect, test } from 'vitest';
import { Accounts } from '../../src/quota/accounts.ts';
import type { PrincipalLimits } from '../../src/quota/principal-limits.ts';

const LIMITS: PrincipalLimits = { runsPerMinute: { value: 10, key: 'k' }, fuelPerHour: { value: 1_000, key: 'k' } };

test('accounts that would say the same as new ones are forgotten as others come', () => {
  const accounts = new Accounts(() => LIMITS);
  for (let n = 0; n < 100; n++) accounts.of(`p${n}`, 0).runs?.take(1, 0);
  expect(accounts.size).toBe(100);
  for (let n = 0; n < 100; n++) accounts.of(`q${n}`, 60_000).fuel?.take(1, 60_000);
  // Two old ones for each that comes.
  expect(accounts.size).toBe(100);
  expect(accounts.of('q99', 60_000).fuel?.level(60_000)).toBe(999);
});

test('past the bound the one that was used longest ago goes, and the others keep what they have used', () => {
  const accounts = new Accounts(() => LIMITS, 3);
  for (const name of ['a', 'b', 'c', 'd']) accounts.of(name, 0).fuel?.take(500, 0);
  expect(accounts.size).toBe(3);
  expect(accounts.of('d', 0).fuel?.level(0)).toBe(500);
  expect(accounts.of('a', 0).fuel?.level(0)).toBe(1_000);
});

test('an account with runs under way stays, whoever comes', () => {
  const accounts = new Accounts(() => LIMITS, 2);
  const held = accounts.of('held', 0);
  accounts.begin('held', held);
  accounts.begin('held', held);
  for (let n = 0; n < 50; n++) accounts.of(`p${n}`, 0).runs?.take(1, 0);
  expect(accounts.of('held', 0)).toBe(held);
  accounts.end('held', held, 0);
  for (let n = 0; n < 50; n++) accounts.of(`q${n}`, 0).runs?.take(1, 0);
  expect(accounts.of('held', 0)).toBe(held);
  accounts.end('held', held, 0);
  for (let n = 0; n < 50; n++) accounts.of(`r${n}`, 0).runs?.take(1, 0);
  expect(accounts.of('held', 0)).not.toBe(held);
});
