import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import type { StoredApproval } from '../../src/execution/execution-store.ts';
import { COMPLETED, newExecution, sentCall, StoreFolder } from './stored-executions.ts';

const CHILD = join(import.meta.dirname, 'store-owner-child.ts');

/** A gateway in a process of its own. */
class Gateway implements AsyncDisposable {
  readonly process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(file: string, group = 'test') {
    this.process = spawn(process.execPath, ['--no-warnings', CHILD, file, group], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.process.stdout! })[Symbol.asyncIterator]();
  }

  static async start(file: string, group?: string): Promise<Gateway> {
    const gateway = new Gateway(file, group);
    await gateway.next();
    return gateway;
  }

  async next(): Promise<unknown> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error('it has ended');
    return JSON.parse(value);
  }

  send(...words: string[]): void {
    this.process.stdin!.write(`${words.join(' ')}\n`);
  }

  ask(...words: string[]): Promise<unknown> {
    this.send(...words);
    return this.next();
  }

  async kill(): Promise<void> {
    const gone = once(this.process, 'close');
    this.process.kill('SIGKILL');
    await gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) await this.kill();
  }
}

test('what a killed process had is claimed at once, the oldest first, and by nobody while it lives', async () => {
  await using folder = new StoreFolder();
  const heir = folder.open();
  await using gateway = await Gateway.start(folder.file);
  await gateway.ask('create', 'b', 'c', 'd');
  await gateway.ask('end', 'c');
  expect(await heir.claim()).toEqual([]);
  await expect(heir.call('b', sentCall(1))).rejects.toMatchObject({
    code: 'ERR_EXECUTION_STORE',
    message: expect.stringContaining('another process'),
  });
  await gateway.kill();
  expect(await heir.claim()).toEqual(['b', 'd']);
  expect(await heir.claim()).toEqual([]);
  await heir.call('b', sentCall(1));
  // Nothing of the dead is left.
  expect(readdirSync(`${folder.file}-owners`)).toHaveLength(1);
});

test('a store that is closed gives up what it had', async () => {
  await using folder = new StoreFolder();
  const [first, second] = [folder.open(), folder.open()];
  await first.create(newExecution('one'));
  expect(await second.claim()).toEqual([]);
  await first.close();
  expect(await second.claim()).toEqual(['one']);
});

test('only stores of the same group claim', async () => {
  await using folder = new StoreFolder();
  const stranger = folder.open({ group: 'other' });
  await stranger.create(newExecution('own'));
  const gateway = folder.open();
  await gateway.create(newExecution('one'));
  await gateway.close();
  expect(await stranger.claim()).toEqual([]);
  expect(await folder.open({ group: '' }).claim()).toEqual([]);
  const heir = folder.open();
  expect(await heir.claim()).toEqual(['one']);
  // Nobody owns what both groups have left: each gets its own, and leaves the other's to the other.
  await Promise.all([heir.close(), stranger.close()]);
  expect(await folder.open().claim()).toEqual(['one']);
  expect(await folder.open({ group: 'other' }).claim()).toEqual(['own']);
});

test('of several that claim at the same time each execution goes to one', async () => {
  await using folder = new StoreFolder();
  const gateways = await Promise.all([1, 2, 3].map(() => Gateway.start(folder.file)));
  await using _gone = { [Symbol.asyncDispose]: () => Promise.all(gateways.map((one) => one[Symbol.asyncDispose]())) as never };
  const ids = Array.from({ length: 60 }, (_, index) => `r${index}`);
  for (let round = 0; round < 5; round++) {
    await using dead = await Gateway.start(folder.file);
    await dead.ask('create', ...ids.map((id) => `${id}-${round}`));
    await dead.kill();
    const claimed = (await Promise.all(gateways.map((one) => one.ask('claim')))) as { claim: string[] }[];
    expect(claimed.flatMap(({ claim }) => claim).toSorted()).toEqual(ids.map((id) => `${id}-${round}`).toSorted());
  }
});

test('a copied database has no live owners, with the files of its owners or without', async () => {
  await using folder = new StoreFolder();
  await using copy = new StoreFolder();
  const first = folder.open();
  await first.create(newExecution('one'));
  for (const end of ['', '-wal']) copyFileSync(`${folder.file}${end}`, `${copy.file}${end}`);
  expect(await copy.open().claim()).toEqual(['one']);
  // The one that was copied has lost nothing.
  await first.call('one', sentCall(1));
  expect(await folder.open().claim()).toEqual([]);
});

test('a file that is none of an owner’s is left alone, and an owner whose file was taken away is dead', async () => {
  await using folder = new StoreFolder();
  await using gateway = await Gateway.start(folder.file);
  await gateway.ask('create', 'one');
  // It is held between writes now.
  expect(await gateway.ask('call', 'one')).toEqual({});
  const owners = `${folder.file}-owners`;
  writeFileSync(join(owners, 'notes.txt'), 'mine');
  const heir = folder.open();
  expect(await heir.claim()).toEqual([]);
  for (const name of readdirSync(owners).filter((one) => one.endsWith('.lock'))) if (!name.includes('notes')) rmSync(join(owners, name));
  expect(await folder.open().claim()).toEqual(['one']);
  expect(readdirSync(owners)).toContain('notes.txt');
  // The process that had it is told so before it makes a call.
  expect(await gateway.ask('call', 'one')).toEqual({ error: 'ERR_EXECUTION_STORE' });
});

test('a request to cancel reaches the owner in another process, also one that comes to own it later', async () => {
  await using folder = new StoreFolder();
  await using gateway = await Gateway.start(folder.file);
  await gateway.ask('create', 'one', 'two');
  const operator = folder.open({ group: '' });
  const heard: string[] = [];
  operator.onCancelRequest((id) => heard.push(id));
  expect(await operator.requestCancel('one')).toBe(true);
  expect(await gateway.next()).toEqual({ cancel: 'one' });
  expect(await operator.requestCancel('one')).toBe(true);
  expect(await gateway.ask('end', 'one')).toEqual({});
  expect([await operator.requestCancel('one'), await operator.requestCancel('none')]).toEqual([false, false]);
  await gateway.kill();
  expect(await operator.requestCancel('two')).toBe(true);
  await using heir = await Gateway.start(folder.file);
  expect([await heir.ask('claim'), await heir.next()]).toEqual([{ claim: ['two'] }, { cancel: 'two' }]);
  expect((await operator.read('two'))?.isCancelRequested).toBe(true);
  expect(heard).toEqual([]);
});

test('a request to cancel what is one’s own is told too, once', async () => {
  await using folder = new StoreFolder();
  const store = folder.open();
  await Promise.all(['one', 'two'].map((id) => store.create(newExecution(id))));
  const heard: string[] = [];
  const last = new Promise<void>((resolve) => {
    store.onCancelRequest((id) => {
      heard.push(id);
      if (id === 'two') resolve();
    });
  });
  for (const id of ['one', 'one', 'two']) expect(await store.requestCancel(id)).toBe(true);
  await last;
  expect(heard).toEqual(['one', 'two']);
});

const QUESTION: StoredApproval = {
  id: 'apr_1',
  executionId: 'one',
  principal: 'local',
  call: 1,
  kind: 'approve',
  server: 'mail',
  tool: 'send',
  arguments: '{"to":"ann"}',
  text: 'May it?',
  askedAt: 5,
};

test('the owner hears what another process has decided, and nobody else does', async () => {
  await using folder = new StoreFolder();
  const [owner, other] = [folder.open(), folder.open({ group: 'other' })];
  const [heard, overheard]: [StoredApproval[], StoredApproval[]] = [[], []];
  const told = new Promise<void>((resolve) => owner.onDecision((approval) => (heard.push(approval), resolve())));
  other.onDecision((approval) => overheard.push(approval));
  await owner.create(newExecution('one'));
  await owner.ask({ ...QUESTION, id: 'apr_0', call: 2 });
  await owner.decide('apr_0', { granted: false, by: 'client', at: 6 });
  await owner.ask(QUESTION);
  await using operator = await Gateway.start(folder.file, '');
  expect(await operator.ask('decide', 'apr_1')).toEqual({ decide: true });
  await told;
  expect(heard).toEqual([{ ...QUESTION, decision: { granted: true, by: 'operator', at: 1 } }]);
  expect(overheard).toEqual([]);
});

test('of two decisions the first counts, and the same question is the same one until its call is sent', async () => {
  await using folder = new StoreFolder();
  const store = folder.open();
  await store.create(newExecution('one'));
  expect(await store.ask(QUESTION)).toEqual(QUESTION);
  expect(await store.ask({ ...QUESTION, id: 'apr_2', text: 'again' })).toEqual(QUESTION);
  const granted = { granted: true, by: 'operator', at: 7 };
  expect(await store.decide('apr_1', granted)).toEqual({ ...QUESTION, decision: granted });
  expect(await store.decide('apr_1', { granted: false, by: 'client', at: 8 })).toEqual({ ...QUESTION, decision: granted });
  expect(await store.ask({ ...QUESTION, id: 'apr_3' })).toEqual({ ...QUESTION, decision: granted });
  expect(await store.approvals()).toEqual([]);
  await store.call('one', sentCall(1));
  // It was made with that consent; for making it again there is none.
  expect(await store.ask({ ...QUESTION, id: 'apr_4' })).toEqual({ ...QUESTION, id: 'apr_4' });
  expect(await store.ask({ ...QUESTION, id: 'apr_5', kind: 'repeat' })).toEqual({ ...QUESTION, id: 'apr_5', kind: 'repeat' });
  expect((await store.approvals('one')).map(({ id }) => id)).toEqual(['apr_4', 'apr_5']);
  expect((await store.approvalsOf('one')).map(({ id, decision }) => [id, decision?.granted])).toEqual([
    ['apr_1', true],
    ['apr_4', undefined],
    ['apr_5', undefined],
  ]);
  await store.ended('one', COMPLETED);
  expect([await store.approvals(), await store.approvals('one'), await store.approval('apr_9')]).toEqual([[], [], undefined]);
  expect(await store.decide('apr_4', granted)).toBeUndefined();
  expect(await store.decide('apr_9', granted)).toBeUndefined();
  await expect(store.ask({ ...QUESTION, id: 'apr_6', call: 9 })).rejects.toMatchObject({ code: 'ERR_EXECUTION_UNKNOWN' });
  await expect(store.ask({ ...QUESTION, id: 'apr_7', executionId: 'none' })).rejects.toMatchObject({ code: 'ERR_EXECUTION_UNKNOWN' });
});
