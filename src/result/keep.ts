import { SandboxError, type Diagnostic } from '../errors.ts';
import type { Kept, KeptPages } from '../kept-result/kept-results.ts';
import type { KeptItem, Shortened } from './output-schema.ts';

/** Keeps bytes for the principal of a run. @throws SandboxError ERR_RESULT_STORE */
export type Keep = (bytes: Uint8Array, pages: KeptPages) => Promise<Kept>;

/** What came of keeping: an entry for the answer, or a warning. The answer itself is never lost. */
export type KeptOrNot = { readonly item: KeptItem; readonly kept: Kept } | { readonly warning: Diagnostic };

/** Keeps the whole of something that an answer shows shortened. Never throws. */
export async function keepWhole(
  keep: Keep | undefined,
  what: KeptItem['what'],
  { bytes, pages, shortened }: { bytes: Uint8Array; pages: KeptPages; shortened: readonly Shortened[] },
): Promise<KeptOrNot> {
  if (!keep) return { warning: notKept(what, 'Nothing is kept here.') };
  try {
    const kept = await keep(bytes, pages);
    const expiresAt = new Date(kept.expiresAt).toISOString();
    return { kept, item: { what, uri: kept.uri, bytes: kept.bytes, expiresAt, shortened: [...shortened] } };
  } catch (error) {
    return { warning: notKept(what, error instanceof SandboxError ? `${error.code}: ${error.message}` : 'ERR_RESULT_STORE') };
  }
}

const SUBJECTS: Readonly<Record<KeptItem['what'], string>> = {
  result: 'The result is shown shortened, and the whole is not kept',
  logs: 'The log is shown shortened, and the whole is not kept',
  call: 'The answer of a tool is shown shortened, and the whole is not kept',
  content: 'Content that is too large for the answer is left out, and is not kept',
};

function notKept(what: KeptItem['what'], reason: string): Diagnostic {
  return { code: 'WARN_RESULT_NOT_KEPT', message: `${SUBJECTS[what]}. ${reason}` };
}
