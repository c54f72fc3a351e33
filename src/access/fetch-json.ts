/** No document of an issuer is larger: a set of a hundred keys has 100 KB. */
const MAX_BYTES = 512 * 1024;
const TIMEOUT_MS = 5_000;

/** Reads a JSON object over HTTP. */
export type FetchJson = (url: string) => Promise<Readonly<Record<string, unknown>>>;

/**
 * Reads a JSON object at a URL: at most 512 KiB in at most 5 s, and no redirect is followed, because it could lead anywhere.
 * @throws Error that says what was wrong, and nothing of what came
 */
export const fetchJson: FetchJson = async (url) => {
  const response = await fetch(url, {
    redirect: 'manual',
    headers: { accept: 'application/json' },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`${url} answered with status ${response.status}`);
  }
  const text = await readText(response, url);
  const value = parse(text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Error(`${url} answered with something else than a JSON object`);
};

async function readText({ body }: Response, url: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the rest.
    if (bytes > MAX_BYTES) throw new Error(`${url} answered with more than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
