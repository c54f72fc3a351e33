import { existsSync } from 'node:fs';
import { openKeyRegister, type KeyRegister } from '../access/key-register.ts';
import { keyStanding, type KeyRow } from '../access/key-schema.ts';
import type { Config } from '../config/schema.ts';
import { SandboxError } from '../errors.ts';
import { compileGlob } from '../glob.ts';
import { makeFolder, OWNER_ONLY } from '../make-folder.ts';
import { keyFile } from '../open-access.ts';
import { harmlessText } from '../result/harmless-text.ts';
import { cacheDirectory, readConfig, type CommonOptions, type ProcessContext } from './command.ts';
import { recordCommand } from './record-command.ts';
import { drawTable } from './table.ts';

export interface CreateOptions extends CommonOptions {
  readonly tools?: readonly string[];
  readonly expires?: string;
}

export interface ListOptions extends CommonOptions {
  readonly json?: boolean;
}

const UNIT_MS = new Map([
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
  ['y', 365 * 86_400_000],
]);
const LAST_YEAR = 9_999;

/** `ampoule keys create NAME`: the key is the whole of stdout, so that a script can take it. @throws SandboxError ERR_ACCESS_KEY */
export async function createKey(context: ProcessContext, name: string, { tools, expires, ...options }: CreateOptions): Promise<void> {
  const until = expires === undefined ? undefined : timeOf(expires, Date.now());
  const config = await readConfig(context, options);
  await makeFolder(cacheDirectory(context, config), OWNER_ONLY);
  const { key, id, others } = withRegister(context, config, (register) => {
    const made = register.create({ name, ...(tools && { tools }), ...(until !== undefined && { expires: until }) });
    return { ...made, others: register.list().filter((other) => other.name === name && other.id !== made.id).length };
  });
  await recordCommand(context, config, { kind: 'key', action: 'create', subject: `${name} ${id}` });
  const words = [
    `${id}, principal key:${name}, ${tools === undefined ? 'all tools' : `tools ${tools.join(' ')}`}`,
    until === undefined ? 'never expires' : `expires ${isoTime(until)}`,
  ];
  const unknown = (tools ?? []).filter((glob) => !meansServer(glob, Object.keys(config.mcpServers)));
  const note = unknown.length === 0 ? '' : `No server of the config is meant by ${unknown.join(' ')}.\n`;
  // A name may have been somebody else's.
  const shared =
    others === 0
      ? ''
      : `There is or was another key of this name: sessions, results, skills and limits of key:${name} are those of both.\n`;
  const where = config.auth.keys ? '' : 'It opens nothing before the config has "auth": { "keys": true }.\n';
  context.stderr.write(`${words.join(', ')}.\nThis is the only time that the key is shown:\n`);
  context.stdout.write(`${key}\n`);
  context.stderr.write(`Clients send it as "Authorization: Bearer <key>".\n${note}${shared}${where}`);
}

/** `ampoule keys list`: every key that is not long over. */
export async function listKeys(context: ProcessContext, options: ListOptions): Promise<void> {
  const config = await readConfig(context, options);
  // Without a file there are no keys, and looking does not make one.
  const rows = existsSync(fileOf(context, config)) ? withRegister(context, config, (register) => register.list()) : [];
  const keys = rows.map((row) => summary(row, Date.now()));
  context.stdout.write(options.json === true ? `${JSON.stringify(keys)}\n` : table(keys));
}

/** `ampoule keys revoke NAME|ID`: a server that runs refuses them from its next request on. @throws SandboxError ERR_ACCESS_KEY */
export async function revokeKeys(context: ProcessContext, which: string, options: CommonOptions): Promise<void> {
  const config = await readConfig(context, options);
  await makeFolder(cacheDirectory(context, config), OWNER_ONLY);
  const revoked = withRegister(context, config, (register) => register.revoke(which));
  // Who wrote a whole key does not want it in the audit.
  for (const { name, id } of revoked) await recordCommand(context, config, { kind: 'key', action: 'revoke', subject: `${name} ${id}` });
  context.stdout.write(`${revoked.length} ${revoked.length === 1 ? 'key' : 'keys'} revoked.\n`);
}

function fileOf(context: ProcessContext, config: Config): string {
  return keyFile(cacheDirectory(context, config));
}

function withRegister<T>(context: ProcessContext, config: Config, work: (register: KeyRegister) => T): T {
  const register = openKeyRegister(fileOf(context, config));
  try {
    return work(register);
  } finally {
    register.close();
  }
}

/** Whether a glob can be of one of the servers. Names may hold dots: one reading that fits is enough. */
function meansServer(glob: string, servers: readonly string[]): boolean {
  const named = [...glob.matchAll(/\./g)].map(({ index }) => compileGlob(glob.slice(0, index)));
  return glob === '*' || named.some((isMatch) => servers.some(isMatch));
}

/** `90d` from now on, or a date. */
function timeOf(text: string, now: number): number {
  const [, count, unit = ''] = /^(\d{1,5})([mhdy])$/.exec(text) ?? [];
  const date = /^\d{4}-\d{2}-\d{2}(?:T[\d:.]+Z)?$/.test(text) ? Date.parse(text) : Number.NaN;
  const time = count === undefined ? date : now + Number(count) * (UNIT_MS.get(unit) ?? Number.NaN);
  if (time > now && time <= Date.UTC(LAST_YEAR, 0)) return time;
  throw new SandboxError('ERR_ACCESS_KEY', `A key cannot expire at ${JSON.stringify(text.slice(0, 40))}.`, {
    hint: 'Such as --expires 90d, 12h or 30m from now on, or a date to come such as 2027-01-31.',
  });
}

interface Summary {
  readonly id: string;
  readonly name: string;
  readonly principal: string;
  /** Globs; all tools when null. */
  readonly tools: readonly string[] | null;
  readonly state: 'good' | 'expired' | 'revoked';
  /** ISO 8601, as the other times. */
  readonly created: string;
  readonly expires: string | null;
  readonly lastUsed: string | null;
}

function summary(row: KeyRow, now: number): Summary {
  const { id, name, tools, created, expires, used } = row;
  const time = (value: number | null): string | null => (value === null ? null : isoTime(value));
  const times = { created: isoTime(created), expires: time(expires), lastUsed: time(used) };
  return { id, name, principal: `key:${name}`, tools, state: keyStanding(row, now), ...times };
}

/** `2026-01-31T12:00:00Z`. */
function isoTime(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');
}

const HEAD = ['ID', 'NAME', 'STATE', 'CREATED', 'EXPIRES', 'LAST USED', 'TOOLS'];

function table(keys: readonly Summary[]): string {
  if (keys.length === 0) return 'No keys.\n';
  const rows = keys.map(({ id, name, state, created, expires, lastUsed, tools }) => [
    id,
    harmlessText(name),
    state,
    created,
    expires ?? 'never',
    lastUsed ?? 'never',
    harmlessText(tools?.join(' ') ?? 'all'),
  ]);
  return `${drawTable([HEAD, ...rows])}\n${keys.length} ${keys.length === 1 ? 'key' : 'keys'}.\n`;
}
