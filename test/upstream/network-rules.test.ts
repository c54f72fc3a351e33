import { expect, test } from 'vitest';
import { addressKind } from '../../src/upstream/address.ts';
import { createNetworkRules, type Purpose } from '../../src/upstream/network-rules.ts';
import { remote } from './harness.ts';

const KINDS = {
  public: ['8.8.8.8', '1.1.1.1', '100.63.255.255', '172.32.0.1', '2606:4700::1111', '[2a00:1450::1]', '::ffff:8.8.8.8'],
  local: [
    '127.0.0.1',
    '127.255.255.254',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    '100.64.0.1',
    '0.0.0.0',
    '0.1.2.3',
    '::',
    '::1',
    'fd00::1',
    'fc00::1',
    '::ffff:127.0.0.1',
    '::ffff:10.0.0.1',
    '::ffff:7f00:1',
  ],
  never: [
    '169.254.169.254',
    '168.63.129.16',
    '::ffff:168.63.129.16',
    '100.100.100.200',
    'fd00:ec2::254',
    'fd00:0ec2:0:0::254',
    'fd20:ce::254',
    '::ffff:169.254.169.254',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    '224.0.0.1',
    '239.255.255.255',
    'ff02::1',
    '255.255.255.255',
    '240.0.0.1',
    '192.0.0.1',
    '192.0.2.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b::808:808',
    '64:ff9b:1::1',
    '2002:7f00:1::',
    '2001::1',
    '2001:db8::1',
    '::127.0.0.1',
    '::ffff:0:127.0.0.1',
    '100::1',
    '5f00::1',
    '4000::1',
    '',
    'localhost',
    'example.com',
  ],
};

test.each(Object.entries(KINDS))('addresses that are %s are told', (kind, addresses) => {
  expect(Object.fromEntries(addresses.map((address) => [address, addressKind(address)]))).toEqual(
    Object.fromEntries(addresses.map((address) => [address, kind])),
  );
});

type Network = { allowPrivate?: boolean; allow?: string[] };

function refuses(
  url: string,
  target: [host: string, port: number, address: string],
  network?: Network,
  more: { purpose?: Purpose; issuer?: string } = {},
) {
  const { purpose = 'server', issuer } = more;
  const config = remote('http', url, {
    ...(network && { network: { allow: [], ...network } }),
    ...(issuer !== undefined && { oauth: { grant: 'authorization_code' as const, issuer } }),
  });
  const [host, port, address] = target;
  return createNetworkRules(config, purpose).refusal({ host, port, address }) !== undefined;
}

test('a private address is for the host and port that the operator wrote, when they are plainly local', () => {
  expect(refuses('http://127.0.0.1:3000/mcp', ['127.0.0.1', 3000, '127.0.0.1'])).toBe(false);
  expect(refuses('http://127.0.0.1:3000/mcp', ['127.0.0.1', 3001, '127.0.0.1'])).toBe(true);
  expect(refuses('http://127.0.0.1:3000/mcp', ['127.0.0.2', 3000, '127.0.0.2'])).toBe(true);
  expect(refuses('http://[::1]:3000/mcp', ['[::1]', 3000, '::1'])).toBe(false);
  expect(refuses('http://[::ffff:127.0.0.1]:3000/mcp', ['[::ffff:7f00:1]', 3000, '::ffff:127.0.0.1'])).toBe(false);
  expect(refuses('http://localhost/mcp', ['localhost', 80, '::1'])).toBe(false);
  expect(refuses('http://LOCALHOST./mcp', ['localhost.', 80, '127.0.0.1'])).toBe(false);
  expect(refuses('http://github-mcp:3000/mcp', ['github-mcp', 3000, '172.18.0.5'])).toBe(false);
  expect(refuses('http://printer.local/mcp', ['printer.local', 80, '192.168.1.9'])).toBe(false);
  expect(refuses('https://10.0.0.5/mcp', ['10.0.0.5', 443, '10.0.0.5'])).toBe(false);
});

test('a public name does not lead to a private address unless the operator says that it may', () => {
  const target: [string, number, string] = ['mcp.example.com', 443, '10.0.0.5'];
  expect(refuses('https://mcp.example.com/mcp', target)).toBe(true);
  expect(refuses('https://mcp.example.com/mcp', target, { allowPrivate: true })).toBe(false);
  expect(refuses('https://mcp.example.com/mcp', ['other.example.com', 443, '10.0.0.5'], { allowPrivate: true })).toBe(true);
  expect(refuses('https://mcp.example.com/mcp', target, { allow: ['10.0.0.0/8'] })).toBe(false);
  expect(refuses('https://mcp.example.com/mcp', target, { allow: ['mcp.example.com:443'] })).toBe(false);
  expect(refuses('https://mcp.example.com/mcp', target, { allow: ['mcp.example.com:8443'] })).toBe(true);
  expect(refuses('https://mcp.example.com/mcp', ['mcp.example.com', 443, '93.184.216.34'])).toBe(false);
  expect(refuses('http://127.0.0.1:3000/mcp', ['127.0.0.1', 3000, '127.0.0.1'], { allowPrivate: false })).toBe(true);
});

test('the address where clouds keep credentials is refused, however it is written, and with allowPrivate too', () => {
  for (const host of ['169.254.169.254', '[::ffff:a9fe:a9fe]', '[64:ff9b::a9fe:a9fe]']) {
    const url = `http://${host}/mcp`;
    expect(refuses(url, [new URL(url).hostname, 80, new URL(url).hostname], { allowPrivate: true })).toBe(true);
  }
  expect(refuses('http://metadata.internal/mcp', ['metadata.internal', 80, '169.254.169.254'], { allowPrivate: true })).toBe(true);
  expect(refuses('http://metadata.internal/mcp', ['metadata.internal', 80, '169.254.169.254'], { allow: ['metadata.internal'] })).toBe(
    true,
  );
  expect(refuses('http://metadata.internal/mcp', ['metadata.internal', 80, '169.254.169.254'], { allow: ['169.254.169.254'] })).toBe(false);
});

test('localhost is this machine, whatever a name server says', () => {
  expect(refuses('http://localhost:3000/mcp', ['localhost', 3000, '10.0.0.1'])).toBe(true);
  expect(refuses('http://a.localhost:3000/mcp', ['a.localhost', 3000, '93.184.216.34'])).toBe(true);
  expect(refuses('http://a.localhost:3000/mcp', ['a.localhost', 3000, '127.0.0.1'])).toBe(false);
});

test('what a server makes us follow may be private on its own host alone, or at the issuer that the operator wrote', () => {
  const oauth = { purpose: 'oauth' as const };
  expect(refuses('http://127.0.0.1:3000/mcp', ['127.0.0.1', 9000, '127.0.0.1'], undefined, oauth)).toBe(false);
  expect(refuses('http://localhost:3000/mcp', ['127.0.0.1', 9000, '127.0.0.1'], undefined, oauth)).toBe(false);
  expect(refuses('https://10.0.0.5/mcp', ['10.0.0.6', 443, '10.0.0.6'], undefined, oauth)).toBe(true);
  expect(refuses('https://10.0.0.5/mcp', ['10.0.0.6', 443, '10.0.0.6'], { allow: ['10.0.0.6'] }, oauth)).toBe(false);
  expect(refuses('https://10.0.0.5/mcp', ['127.0.0.1', 443, '127.0.0.1'], undefined, oauth)).toBe(true);
  expect(refuses('https://mcp.example.com/mcp', ['127.0.0.1', 8080, '127.0.0.1'], undefined, oauth)).toBe(true);
  expect(refuses('https://mcp.example.com/mcp', ['auth.example.com', 443, '192.168.0.1'], undefined, oauth)).toBe(true);
  const issuer = 'https://192.168.0.1/realm';
  expect(refuses('https://mcp.example.com/mcp', ['192.168.0.1', 443, '192.168.0.1'], undefined, { ...oauth, issuer })).toBe(false);
});
