import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openKeyRegister } from '../../src/access/key-register.ts';
import { openAuditStore } from '../../src/audit/audit-store.ts';
import { DriftStore, MIGRATIONS as DRIFT_MIGRATIONS } from '../../src/drift/drift-store.ts';
import { LearnedStore, MIGRATIONS as LEARNED_MIGRATIONS } from '../../src/learned/learned-store.ts';
import { createSessionStore } from '../../src/session/session-store.ts';
import { createSkillStore } from '../../src/skill/skill-store.ts';
import { openReplaceable } from '../../src/store/replaceable-database.ts';
import { openLogins } from '../../src/upstream/login/login-store.ts';
import { Damage, type StoreKind, type StoreUnderTest } from './store-under-test.ts';

const YEAR_MS = 365 * 86_400_000;
const MiB = 1024 * 1024;
const PRINCIPAL = 'local';
/** Several pages of a database, so that a write is no single one. */
const PADDING = 'x'.repeat(9_000);
const LOG = { warn: () => undefined };

/** Databases of SQLite. */
export const DATABASES: readonly StoreKind[] = [
  { name: 'sessions', keeps: true, open: openSessions },
  { name: 'skills', keeps: true, open: openSkills },
  { name: 'keys', keeps: true, open: openKeys },
  { name: 'logins', keeps: true, open: openLoginStore },
  { name: 'audit', keeps: true, open: openAudit },
  { name: 'learned', keeps: false, open: openLearned },
  { name: 'drift', keeps: false, open: openDrift },
];

function openSessions(folder: string): Promise<StoreUnderTest> {
  const store = createSessionStore({ file: join(folder, 'sessions.db'), maxSessions: 1_000, sessionTtlMs: YEAR_MS, maxStateBytes: MiB });
  return Promise.resolve({
    async write(number, place) {
      const session = place === '' ? store.mint(PRINCIPAL) : store.open(place, PRINCIPAL);
      await store.commit(session, JSON.stringify({ number, padding: PADDING }));
      return session.handle;
    },
    read: (place) => Promise.resolve(place === '' ? 0 : (JSON.parse(store.open(place, PRINCIPAL).state) as { number: number }).number),
    close: () => store.close(),
  });
}

function openSkills(folder: string, writer: string): Promise<StoreUnderTest> {
  const store = createSkillStore({ file: join(folder, 'skills.db'), mode: 'on', maxSkills: 1_000 });
  const name = `skill-${writer}`;
  return Promise.resolve({
    write(number) {
      const code = `export const n = ${number}; // ${PADDING}`;
      store.save({ name, principal: PRINCIPAL, description: 'A number.', code, exports: [], depends: { tools: [], skills: [] } });
      return Promise.resolve('');
    },
    read: () => Promise.resolve(Number(/n = (\d+);/.exec(store.find(name, PRINCIPAL)?.code ?? '')?.[1] ?? 0)),
    close: () => store.close(),
  });
}

/** The number of keys is the number. */
function openKeys(folder: string, writer: string): Promise<StoreUnderTest> {
  const register = openKeyRegister(join(folder, 'keys.db'));
  const numbers = (): number[] => register.list().flatMap(({ name }) => (name.startsWith(`${writer}.`) ? Number(name.split('.')[1]) : []));
  return Promise.resolve({
    write(number) {
      register.create({ name: `${writer}.${number}` });
      return Promise.resolve('');
    },
    read: () => Promise.resolve(Math.max(0, ...numbers())),
    close: () => register.close(),
  });
}

function openLoginStore(folder: string, writer: string): Promise<StoreUnderTest> {
  const store = openLogins({ directory: folder });
  const url = 'https://upstream.example/mcp';
  return Promise.resolve({
    write(number) {
      const login = {
        url,
        issuer: url,
        tokenEndpoint: url,
        clientId: 'client',
        accessToken: `token${number}`,
        scope: PADDING.slice(0, 8_000),
        obtainedAt: 0,
      };
      store.write(writer, login);
      return Promise.resolve('');
    },
    read: () => Promise.resolve(Number(/^token(\d+)$/.exec(store.read(writer)?.login.accessToken ?? '')?.[1] ?? 0)),
    close: () => store.close(),
  });
}

function openAudit(folder: string, writer: string): Promise<StoreUnderTest> {
  const file = join(folder, 'audit.db');
  const store = openAuditStore({ file, retentionMs: YEAR_MS, maxBytes: 64 * MiB });
  return Promise.resolve({
    write(number) {
      store.write([{ time: Date.now(), kind: 'run', principal: writer, execution: `exe_${number}` }]);
      return Promise.resolve('');
    },
    read() {
      const db = new DatabaseSync(file);
      const rows = db.prepare('SELECT execution FROM lines WHERE principal = ?').all(writer);
      db.close();
      return Promise.resolve(Math.max(0, ...rows.map(({ execution }) => Number(String(execution).slice(4)))));
    },
    close: () => store.close(),
  });
}

function openLearned(folder: string, writer: string): Promise<StoreUnderTest> {
  const store = new LearnedStore(openReplaceable({ file: join(folder, 'learned.db'), migrations: LEARNED_MIGRATIONS }, LOG), Date.now);
  return Promise.resolve({
    write(number) {
      store.merge([{ server: writer, tool: String(number), shape: { primitives: ['string'] } }]);
      return Promise.resolve('');
    },
    read: () => Promise.resolve(Math.max(0, ...store.load().flatMap(({ server, tool }) => (server === writer ? Number(tool) : [])))),
    close: () => store.close(),
  });
}

function openDrift(folder: string, writer: string): Promise<StoreUnderTest> {
  const store = new DriftStore(openReplaceable({ file: join(folder, 'drift.db'), migrations: DRIFT_MIGRATIONS }, LOG));
  const id = createHash('sha256').update(writer).digest();
  return Promise.resolve({
    write(number) {
      const outline = { hash: `${writer} ${number}`, text: PADDING };
      store.keep([{ id, uses: [{ server: 's', tool: String(number), outline }] }], Date.now());
      return Promise.resolve('');
    },
    read() {
      const [use] = store.find(id)?.uses ?? [];
      if (use && store.outline(use.outline)?.length !== PADDING.length) throw new Damage('a program without its outline');
      return Promise.resolve(Number(use?.tool ?? 0));
    },
    close: () => store.close(),
  });
}
