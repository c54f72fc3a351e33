import { expect, test } from 'vitest';
import { tellUnknownTools } from '../../src/policy/tell-unknown-tools.ts';
import { unknownTools } from '../../src/policy/unknown-tools.ts';
import type { Catalog } from '../../src/upstream/catalog.ts';
import { catalogOf, policies, tool } from './policies.ts';

const CATALOG = catalogOf({ tickets: [tool('create'), tool('list')], mail: [tool('read')], 'my.web': [tool('post')] });

test('a policy that names an unknown tool is told with the nearest name', () => {
  const given = policies({ servers: { tickets: { tools: { creat: { policy: 'deny' }, list: { maxCalls: 1 } } } } });
  expect(unknownTools(given, CATALOG)).toEqual([
    'policies.servers.tickets.tools names "creat", but the server "tickets" has no tool "creat". Did you mean "create"?',
  ]);
});

test('a glob that matches nothing is told with what there is', () => {
  const given = policies({ servers: { tickets: { tools: { 'drop*': { policy: 'deny' }, 'c*': { policy: 'ask' } } } } });
  expect(unknownTools(given, CATALOG)).toEqual([
    'policies.servers.tickets.tools names "drop*", but the server "tickets" has no tool that matches "drop*". It has: create, list.',
  ]);
});

test('so is an address of a data-flow rule', () => {
  const given = policies({ dataFlow: [{ from: ['mail.raed', 'mail.*'], to: ['my.web.post', '*.pots', '*.post'] }] });
  expect(unknownTools(given, CATALOG)).toEqual([
    'policies.dataFlow[0].from names "mail.raed", but the server "mail" has no tool "raed". Did you mean "read"?',
    'policies.dataFlow[0].to names "*.pots", but the servers have no tool "pots". Did you mean "post"?',
  ]);
});

test('a server whose tools are not known says nothing', () => {
  const given = policies({
    servers: { tickets: { tools: { creat: { policy: 'deny' } } } },
    dataFlow: [{ from: ['tickets.lsit'], to: ['mail.*'] }],
  });
  const waiting: Catalog = {
    servers: CATALOG.servers.map((server) => ({ ...server, state: server.name === 'tickets' ? 'connecting' : 'ready' })),
  };
  expect(unknownTools(given, waiting)).toEqual([]);
});

test('it is told at start and again when it comes up again, and not in between', () => {
  const given = policies({ servers: { tickets: { tools: { creat: { policy: 'deny' } } } } });
  const told: string[] = [];
  let catalog = CATALOG;
  let change = (): void => undefined;
  const onChange = (listener: (next: Catalog) => void): (() => void) => ((change = () => listener(catalog)), () => undefined);
  tellUnknownTools(given, { catalog: () => catalog, onChange }, (message) => told.push(message));
  change();
  expect(told).toHaveLength(1);
  catalog = catalogOf({ tickets: [tool('creat')] });
  change();
  catalog = CATALOG;
  change();
  expect(told).toHaveLength(2);
});

test('a server that changes its tools all the time does not fill the log', () => {
  const given = policies({ servers: { tickets: { tools: { creat: { policy: 'deny' } } } } });
  const told: string[] = [];
  let [catalog, time] = [CATALOG, 0];
  let change = (): void => undefined;
  const onChange = (listener: (next: Catalog) => void): (() => void) => ((change = () => listener(catalog)), () => undefined);
  tellUnknownTools(
    given,
    { catalog: () => catalog, onChange },
    (message) => told.push(message),
    () => time,
  );
  const flicker = (): void => {
    for (let n = 0; n < 200; n++) {
      catalog = catalogOf({ tickets: [tool(`create${n}`)] });
      change();
    }
  };
  flicker();
  expect(told).toHaveLength(51);
  expect(told.at(-1)).toContain('not told for some minutes');
  time = 600_000;
  flicker();
  expect(told).toHaveLength(102);
});
