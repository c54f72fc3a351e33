import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';

export const AUDIENCE = 'https://ampoule.example/mcp';

interface Signing {
  readonly alg: string;
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

/** An issuer that tests can bend: it signs whatever it is asked to, and answers as it is told. */
export interface TestIssuer extends AsyncDisposable {
  readonly url: string;
  /** What is asked of it, in order. */
  readonly asked: string[];
  /** Answers instead of it, where this is set. */
  answer: ((req: IncomingMessage, res: ServerResponse) => void) | undefined;
  /** The metadata document; what is changed in it is served. */
  readonly metadata: Record<string, unknown>;
  readonly keys: JWK[];
  newKey(alg?: string): Promise<Signing>;
  /** A good access token, but for what is given. */
  sign(claims?: Record<string, unknown>, header?: Record<string, unknown>, signing?: Signing): Promise<string>;
}

export async function startIssuer(path = ''): Promise<TestIssuer> {
  const asked: string[] = [];
  const keys: JWK[] = [];
  const metadata: Record<string, unknown> = {};
  const server = createServer((req, res) => {
    asked.push(req.url ?? '');
    if (issuer.answer) return issuer.answer(req, res);
    const found = req.url === `${path}/.well-known/openid-configuration` ? metadata : req.url === '/jwks' ? { keys } : undefined;
    res.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' });
    res.end(JSON.stringify(found ?? {}));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const url = origin + path;
  Object.assign(metadata, { issuer: url, jwks_uri: `${origin}/jwks` });
  let first: Signing | undefined;
  const newKey: TestIssuer['newKey'] = async (alg = 'ES256') => {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    const kid = `k${keys.length + 1}`;
    const publicJwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' };
    keys.push(publicJwk);
    return { alg, kid, privateKey, publicJwk };
  };
  const issuer: TestIssuer = {
    url,
    asked,
    answer: undefined,
    metadata,
    keys,
    newKey,
    sign: async (claims = {}, header = {}, signing?: Signing) => {
      first ??= await newKey();
      const { alg, kid, privateKey } = signing ?? first;
      const now = Math.floor(Date.now() / 1_000);
      const all = { iss: url, aud: AUDIENCE, sub: 'alice', scope: 'tools', iat: now, exp: now + 300, jti: crypto.randomUUID(), ...claims };
      return new SignJWT(withoutUndefined(all))
        .setProtectedHeader({ alg, ...withoutUndefined({ kid, typ: 'at+jwt', ...header }) })
        .sign(privateKey, { crit: { exotic: true } });
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  await issuer.sign();
  return issuer;
}

function withoutUndefined(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}
