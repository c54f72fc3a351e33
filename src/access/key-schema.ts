/** The tables of `keys.db`. Times are milliseconds since 1970; `expires` and `revoked` are null for a key that has neither. */
export const KEY_MIGRATIONS: readonly string[] = [
  `CREATE TABLE keys (
     hash TEXT PRIMARY KEY,
     id TEXT NOT NULL UNIQUE,
     name TEXT NOT NULL,
     tools TEXT NOT NULL,
     created INTEGER NOT NULL,
     expires INTEGER,
     revoked INTEGER,
     used INTEGER
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX keys_by_name ON keys (name);`,
];

/** A key as it is stored: everything but the key itself. */
export interface KeyRow {
  /** SHA-256 of the key, as hex. */
  readonly hash: string;
  /** Names the key to its operator; nobody can use the key by it. */
  readonly id: string;
  readonly name: string;
  /** The globs of its grant; all tools when null. */
  readonly tools: readonly string[] | null;
  readonly created: number;
  readonly expires: number | null;
  readonly revoked: number | null;
  /** When it was used last, give or take a minute. */
  readonly used: number | null;
}

/** A row of the table. `tools` is JSON. */
export function readKeyRow(row: Readonly<Record<string, unknown>>): KeyRow {
  const time = (value: unknown): number | null => (value === null ? null : Number(value));
  return {
    hash: String(row['hash']),
    id: String(row['id']),
    name: String(row['name']),
    tools: JSON.parse(String(row['tools'])) as string[] | null, // written by us, as JSON of exactly this
    created: Number(row['created']),
    expires: time(row['expires']),
    revoked: time(row['revoked']),
    used: time(row['used']),
  };
}

/** Whether a key is good at a moment. */
export function keyStanding({ expires, revoked }: Pick<KeyRow, 'expires' | 'revoked'>, now: number): 'good' | 'expired' | 'revoked' {
  if (revoked !== null) return 'revoked';
  return expires !== null && expires <= now ? 'expired' : 'good';
}
