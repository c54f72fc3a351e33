import { compileGlob } from '../glob.ts';
import type { Grant } from './principal.ts';

type Matcher = (server: string, tool: string) => boolean;

/** A glob of `server.tool`, or `*` for all. */
const FORM = /^(?:\*|[^.\s]\S*\.\S+)$/;

const compiled = new WeakMap<Grant, Matcher>();

/** Whether a text can be one of a grant's globs, such as `github.*`. */
export function isGrantGlob(text: string): boolean {
  return FORM.test(text) && text.length <= 200;
}

/** Whether a grant has a tool. Grants are few and live long, so their globs are compiled once. */
export function allows(grant: Grant, server: string, tool: string): boolean {
  const matches = compiled.get(grant) ?? compileGrant(grant);
  return matches(server, tool);
}

function compileGrant(grant: Grant): Matcher {
  const globs = grant.map(compileOne);
  const matches: Matcher = (server, tool) => globs.some((isMatch) => isMatch(server, tool));
  compiled.set(grant, matches);
  return matches;
}

/**
 * Names of servers and tools may hold dots, so each dot may be the one between them; but `github.*` is never a server of another name,
 * such as `github.enterprise`.
 */
function compileOne(glob: string): Matcher {
  if (glob === '*') return () => true;
  const parts = [...glob.matchAll(/\./g)].map(({ index }) => ({
    server: compileGlob(glob.slice(0, index)),
    tool: compileGlob(glob.slice(index + 1)),
  }));
  return (server, tool) => parts.some((part) => part.server(server) && part.tool(tool));
}
