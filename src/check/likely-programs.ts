import type { WrapperSet } from '../wrappers/wrapper-set.ts';

/** Enough for three servers. Each one that is kept makes every check some hundredths of a millisecond longer. */
const MAX_PROGRAMS = 12;
const HOST = 'import { log } from "ampoule";\nlog("info", "");\n';

/**
 * Programs whose imports others are likely to have: each server and each pair of servers, alone and with `ampoule` behind them. The
 * first program with a set of imports costs some milliseconds more than those after it.
 */
export function likelyPrograms({ tools }: WrapperSet): string[] {
  const servers = [...new Set(tools.map(({ folder }) => folder))].slice(0, MAX_PROGRAMS).map((folder) => `import "servers/${folder}";\n`);
  const pairs = servers.flatMap((one, at) => servers.slice(at + 1).map((other) => one + other));
  const alone = [HOST, '', ...servers];
  return [...alone, ...servers.map((text) => text + HOST), ...pairs, ...pairs.map((text) => text + HOST)].slice(0, MAX_PROGRAMS);
}
