import { SandboxError } from '../errors.ts';
import type { SourceLocation } from '../errors.ts';
import { caret, lineAt, locate } from './excerpt.ts';
import { pathText } from './finding.ts';
import type { Finding } from './finding.ts';
import { isJsonWithComments } from './json-comments.ts';
import type { JsonPath, JsonSource, JsonSyntaxError } from './json-source.ts';
import { hasSecretBetween, isSecretPath } from './secrets.ts';

/** ERR_CONFIG_SYNTAX with the place, the line and a caret. */
export function syntaxError(text: string, file: string, error: JsonSyntaxError): SandboxError {
  const { from, to } = lineAt(text, error.offset);
  // What stands on the line is not parsed, so a secret on it shows by its words only.
  const secret = isSecretPath(error.path) || isSecretPath([text.slice(from, to)]) || /"env"/.test(text.slice(from, to));
  const location = locate(text, error.offset, secret);
  const message = `${file}:${location.line}:${location.column}: not JSON: ${error.message}\n${caret(location)}`;
  const hint = isJsonWithComments(text)
    ? 'Without its comments and trailing commas the file would be right: it has to be plain JSON, so take them out.'
    : 'The file has to be plain JSON: keys and strings in double quotes, no comments, no comma before a closing bracket.';
  return new SandboxError('ERR_CONFIG_SYNTAX', message, { hint, location, cause: error });
}

/**
 * All findings in one error, in the order of the file: ERR_CONFIG_VARIABLE when nothing but variables is missing, else
 * ERR_CONFIG_INVALID. One finding is the message itself; of more the message has the first, and `diagnostics` has them all.
 */
export function findingsError(source: JsonSource, text: string, file: string, findings: readonly Finding[]): SandboxError {
  const placed = findings.map((finding) => ({ finding, offset: finding.offset ?? offsetOf(source, finding) }));
  const reports = placed
    .sort((a, b) => a.offset - b.offset)
    .map(({ finding, offset }) => {
      const location = place(source, text, finding.path, offset);
      return {
        location,
        hint: finding.hint,
        message: `${file}:${location.line}:${location.column}: ${pathText(finding.path)}: ${finding.message}`,
      };
    });
  const code = findings.every(({ kind }) => kind === 'variable') ? 'ERR_CONFIG_VARIABLE' : 'ERR_CONFIG_INVALID';
  const [first] = reports;
  if (first === undefined) throw new TypeError('an error needs at least one finding');
  const hint = first.hint === undefined ? {} : { hint: first.hint };
  if (reports.length === 1) return new SandboxError(code, first.message, { ...hint, location: first.location });
  const diagnostics = reports.map(({ message, location }) => ({ message, location }));
  return new SandboxError(code, `${first.message} (the first of ${reports.length} problems)`, {
    ...hint,
    location: first.location,
    diagnostics,
  });
}

function offsetOf(source: JsonSource, { path, atKey }: Finding): number {
  const span = source.spans.get(JSON.stringify(path));
  if (span !== undefined) return atKey === true ? span.key : span.start;
  // What is missing is reported at what it is missing from.
  return path.length === 0 ? 0 : offsetOf(source, { kind: 'invalid', path: path.slice(0, -1), message: '' });
}

function place(source: JsonSource, text: string, path: JsonPath, offset: number): SourceLocation {
  const { from, to } = lineAt(text, offset);
  return locate(text, offset, isSecretPath(path) || hasSecretBetween(source, from, to));
}
