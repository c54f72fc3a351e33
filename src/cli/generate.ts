import { createLog } from '../log.ts';
import { generateWrappers } from '../wrappers/generate.ts';
import { writeWrappers } from '../wrappers/write.ts';
import { connectUpstreams } from '../upstream/upstreams.ts';
import { unknownTools } from '../policy/unknown-tools.ts';
import { cacheDirectory, readConfig, type CommonOptions, type ProcessContext } from './command.ts';

/** `ampoule generate`: writes the wrappers of all upstream servers and says what changed. Exit code 1 when a server is not ready. */
export async function generate(context: ProcessContext, options: CommonOptions): Promise<number> {
  const config = await readConfig(context, options);
  const log = createLog(config.log);
  await using upstreams = connectUpstreams(config.mcpServers, {
    maxToolResultBytes: config.limits.maxToolResultBytes,
    baseEnvironment: context.environment,
    log: log.upstream,
    clientInfo: { name: 'ampoule', version: context.version },
    logins: { directory: cacheDirectory(context, config), secret: config.logins.secret },
  });
  await upstreams.settled(context.signal);
  const { servers } = upstreams.catalog();
  const onProgress = (done: number, total: number, server: string): unknown => context.stderr.write(`[${done}/${total}] ${server}\n`);
  const set = await generateWrappers({ servers }, { onProgress }, context.signal);
  const { written, removed, unchanged } = await writeWrappers(set, config.generatedDir);
  const lines = [...written.map((path) => `wrote    ${path}`), ...removed.map((path) => `removed  ${path}`)];
  lines.push(
    `${set.tools.length} functions in ${config.generatedDir}: ${written.length} files written, ${removed.length} removed, ${unchanged} unchanged.`,
  );
  const missing = servers.filter(({ state }) => state !== 'ready' && state !== 'disabled');
  for (const { name, state, reason = 'no reason given' } of missing) lines.push(`not generated: ${name} is ${state} (${reason})`);
  for (const message of unknownTools(config.policies, { servers })) lines.push(`policy: ${message}`);
  context.stdout.write(`${lines.join('\n')}\n`);
  return missing.length === 0 ? 0 : 1;
}
