import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openKeyKeeper } from '../../src/access/key-keeper.ts';
import { openKeyRegister } from '../../src/access/key-register.ts';

/* A server that can only read the keys, as in a container, beside an operator who can write them. Argument: the folder of a small disk. Prints what the server says of keys. */
const [, , folder = ''] = process.argv;
const [written, read] = [join(folder, 'written'), join(folder, 'read')];
mkdirSync(written);
mkdirSync(read);
const register = openKeyRegister(join(written, 'keys.db'));
const first = register.create({ name: 'first' });
execFileSync('mount', ['--bind', written, read]);
execFileSync('mount', ['-o', 'remount,bind,ro', read]);

let now = Date.now();
const keeper = openKeyKeeper(join(read, 'keys.db'), () => now);
const standing = (key: string): string => keeper.find(key)?.standing ?? 'unknown';
const said = [standing(first.key)];
const second = register.create({ name: 'second' });
register.revoke(first.id);
now += 1_000;
said.push(standing(first.key), standing(second.key));
register.close();
now += 1_000;
said.push(standing(first.key), standing(second.key));
keeper.close();
process.stdout.write(JSON.stringify(said));
