import { expect, inject, test } from 'vitest';
import { bundleGuest } from '../../../src/bundle/guest.ts';
import { languageModule } from '../../../src/bundle/language/language-module.ts';
import { LOCALE_NAMES, TIME_ZONE_NAMES } from '../../../src/config/language-names.ts';
import { engineHash } from '../../../src/engine/engine.ts';

const ENGLISH = { locales: ['en'], timeZones: 'all' } as const;

test('the same names give the same guest, and others another engine', async () => {
  const [first, again, more, zones] = await Promise.all([
    bundleGuest('quickjs', ENGLISH),
    bundleGuest('quickjs', ENGLISH),
    bundleGuest('quickjs', { ...ENGLISH, locales: ['en', 'de'] }),
    bundleGuest('quickjs', { ...ENGLISH, timeZones: ['Europe/Berlin'] }),
  ]);
  expect(first).toBe(again);
  const hashes = [first, more, zones].map((guest) => engineHash({ kind: inject('engineKind'), guest, wit: '' }));
  expect(new Set(hashes).size).toBe(3);
});

test('every locale that a config can name can be built in', async () => {
  const some = LOCALE_NAMES.filter((_, i) => i % 9 === 0);
  for (const locale of some) {
    await expect(languageModule({ locales: [locale], timeZones: [] })).resolves.toContain(`DEFAULT_LOCALE="${locale}"`);
  }
}, 60_000);

test('no path of this machine is in the guest', async () => {
  const text = await bundleGuest('quickjs', ENGLISH);
  expect(text).not.toContain('node_modules');
  expect(text).not.toContain(process.cwd());
});

test('a list of time zones leaves the others out, but never UTC', async () => {
  const text = await languageModule({ locales: ['en'], timeZones: ['Asia/Kolkata'] });
  expect(text).toContain('Asia/Calcutta|');
  expect(text).toContain('UTC|');
  expect(text).not.toContain('Europe/Berlin|');
});

test('the names that a config can have are those of the data', () => {
  expect(LOCALE_NAMES).toContain('en-US');
  expect(TIME_ZONE_NAMES).toContain('GMT');
  expect(Intl.supportedValuesOf('timeZone').filter((zone) => !TIME_ZONE_NAMES.includes(zone))).toEqual([]);
});
