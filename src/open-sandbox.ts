import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { allows } from './access/grant.ts';
import type { Audit } from './audit/audit.ts';
import { openAudit } from './audit/open-audit.ts';
import { createChecker, type Checker } from './check/checker.ts';
import { lenientToLearned } from './check/learned-leniency.ts';
import { createBundler, type Bundler } from './bundle/bundler.ts';
import { readSource } from './bundle/source-text.ts';
import { createDiscovery, type Discovery } from './discovery/discovery.ts';
import type { EngineFiles } from './engine/engine-files.ts';
import type { Executors } from './execute/executors.ts';
import { openKeptResults, type KeptResults } from './kept-result/kept-results.ts';
import { LargeCalls } from './run/large-calls.ts';
import { writersOf } from './folder-access.ts';
import { makeFolder, OWNER_ONLY } from './make-folder.ts';
import { openExecutions } from './live/open-executions.ts';
import type { OpenOptions } from './open-options.ts';
import { openRuntime, resultsFolder, skillsFolder } from './open-runtime.ts';
import { openTypes, type Types } from './run/run-types.ts';
import { createPolicing } from './policy/policing.ts';
import { createQuotas } from './quota/quotas.ts';
import { createRedact } from './upstream/redact.ts';
import { tellUnknownTools } from './policy/tell-unknown-tools.ts';
import { refusePrivateMounts } from './private-mounts.ts';
import { carry, closingError, createSandbox } from './sandbox.ts';
import type { SandboxStages } from './sandbox-stages.ts';
import type { SandboxPort } from './server/sandbox-port.ts';
import { createSessionStore } from './session/session-store.ts';
import { createSkillLister } from './skill/listing.ts';
import { createSkillFiles } from './skill/skill-files.ts';
import { createSkillStore, type SkillStore } from './skill/skill-store.ts';
import { thinnedLog } from './thinned-log.ts';
import { createArgumentValidator } from './upstream/arguments.ts';
import { connectUpstreams, type Upstreams } from './upstream/upstreams.ts';
import { followCatalog, type CatalogWrappers } from './wrappers/follow-catalog.ts';

/** How long the start waits for servers that do not answer. */
const STARTUP_PATIENCE_MS = 5_000;
export { openEngine } from './open-runtime.ts';

const WARM_UP = 'enum Warm { Up }\nreturn null;';

/** A running sandbox and what an operator may want to see of it. */
export interface OpenSandbox {
  readonly port: SandboxPort;
  readonly engine: EngineFiles;
  readonly upstreams: Upstreams;
  readonly wrappers: CatalogWrappers;
  readonly executor: Executors;
  readonly bundler: ReturnType<typeof createBundler>;
  readonly skills: SkillStore;
  readonly audit: Audit;
  close(): Promise<void>;
}

/** Starts all stages. What is slow runs side by side: servers connect and wrappers are made while the engine's process starts. */
export async function openSandbox(options: OpenOptions): Promise<OpenSandbox> {
  const { config, signal } = options;
  await refusePrivateMounts(config, options.cacheDirectory);
  await using started = new AsyncDisposableStack();
  // What may happen to every run at once does not fill the log.
  const log = started.use(thinnedLog(options.log));
  // Closed last: what ends with the others is recorded too.
  const audit = await openAuditOf(options);
  started.defer(() => audit.close());
  const upstreams = started.use(options.upstreams ?? openUpstreams(options));
  const types = await openTypes({ types: config.types, cacheDirectory: options.cacheDirectory, log });
  started.defer(() => types.close());
  const starting = openRuntime(options);
  started.defer(async () => (await starting.catch(() => undefined))?.executor.close());
  const wrappers = await Promise.race([openWrappers(options, upstreams, types), failureOf(starting)]);
  const bundler = started.use(openBundler(options));
  const checker = config.check === 'off' ? undefined : started.use(await openChecker(options));
  wrappers.onChange((set) => void checker?.warm(set));
  void checker?.warm(wrappers.current());
  // The first bundle starts the bundler's processes, for an enum all of them: nobody has to wait for them.
  void bundler.bundle({ code: WARM_UP, wrappers: wrappers.current() }, new AbortController().signal).catch(() => undefined);
  const { engine, executor, programs } = await starting;
  signal?.throwIfAborted();
  const kept = started.use(await openExecutions({ ...options, log }, { engine, executor, programs }));
  const sessions = await openSessions(options);
  started.defer(() => sessions.close());
  const results = await openResults(options);
  started.defer(() => results.close());
  const skills = openSkills(options);
  started.defer(() => skills.close());
  const listSkills = createSkillLister(skills);
  const policing = createPolicing({ policies: config.policies, principals: config.principals, ttlMs: config.limits.sessionTtlMs });
  started.defer(tellUnknownTools(config.policies, upstreams, (message) => log.warn(message)));
  const discovery = openDiscovery({ wrappers, upstreams, listSkills, policing });
  const stages: SandboxStages = {
    config,
    upstreams,
    validateArguments: createArgumentValidator(log.upstream),
    wrappers: () => wrappers.current(),
    bundler,
    checker,
    engineHash: engine.hash,
    executor,
    sessions,
    results,
    discovery,
    skills,
    listSkills,
    skillFiles: createSkillFiles({ directory: skillsFolder(options.cacheDirectory), store: skills }),
    types,
    policing,
    largeCalls: new LargeCalls(),
    quotas: createQuotas({ principals: config.principals }),
    audit,
    live: kept.live,
    executions: kept.executions,
    log,
  };
  const port = createSandbox(stages);
  started.use(kept.carryOn({ stages, carry: (call) => carry(stages, call), closing: closingError() }));
  const running = started.move();
  return { port, engine, upstreams, wrappers, executor, bundler, skills, audit, close: () => running.disposeAsync() };
}

async function openAuditOf({ config, cacheDirectory, log }: OpenOptions): Promise<Audit> {
  await makeFolder(cacheDirectory, OWNER_ONLY);
  const writers = await writersOf(cacheDirectory);
  if (writers !== undefined) {
    log.warn(`Others can write to the cache folder ${cacheDirectory} (${writers}), and so decide what runs: chmod 700 it`);
  }
  const redacts = Object.values(config.mcpServers).map((server) => createRedact(server));
  const redact = (text: string): string => redacts.reduce((rest, redactOne) => redactOne(rest, text.length), text);
  return openAudit({ config: config.audit, directory: cacheDirectory, redact, log });
}

function openDiscovery({
  wrappers,
  upstreams,
  listSkills,
  policing,
}: Pick<SandboxStages, 'upstreams' | 'listSkills' | 'policing'> & { readonly wrappers: CatalogWrappers }): Discovery {
  return createDiscovery({
    source: () => ({ wrappers: wrappers.current(), catalog: upstreams.catalog() }),
    skills: (principal) => listSkills(principal, wrappers.current()),
    decide: (server, tool, principal) => policing.decision(principal, server, tool),
    allows,
  });
}

function openBundler({ config, installDirectory }: OpenOptions): Bundler {
  const { libraries, engine, limits } = config;
  const { maxSourceBytes, maxBundleBytes } = limits;
  return createBundler({ libraries, engine, resolveFrom: installDirectory, maxSourceBytes, maxBundleBytes });
}

/** Never resolves; rejects when the work does. */
async function failureOf(work: Promise<unknown>): Promise<never> {
  await work;
  return new Promise<never>(() => undefined);
}

async function openWrappers({ config, log, signal }: OpenOptions, upstreams: Upstreams, types: Types): Promise<CatalogWrappers> {
  // A slow server does not hold up the others: its tools come with a later catalog.
  await Promise.race([upstreams.settled(signal), sleep(STARTUP_PATIENCE_MS, undefined, { ref: false })]);
  return followCatalog(upstreams, config.generatedDir, log, types.learner);
}

async function openChecker({ config, installDirectory }: OpenOptions): Promise<Checker> {
  const [globals, ampoule] = await Promise.all(['globals', 'ampoule'].map((name) => readFile(guestFile(`${name}.d.ts`), 'utf8')));
  const checker = createChecker({
    libraries: config.libraries,
    engine: config.engine,
    resolveFrom: installDirectory,
    globals: globals ?? '',
    ampoule: ampoule ?? '',
    readSource,
  });
  return lenientToLearned(checker);
}

function guestFile(name: string): string {
  return fileURLToPath(new URL(`../host-functions/guest/${name}`, import.meta.url));
}

function openUpstreams({ config, cacheDirectory, environment, log, version }: OpenOptions): Upstreams {
  return connectUpstreams(config.mcpServers, {
    maxToolResultBytes: config.limits.maxToolResultBytes,
    maxKeptResultBytes: config.limits.maxKeptResultBytes,
    baseEnvironment: environment,
    log: log.upstream,
    clientInfo: { name: 'ampoule', version },
    logins: { directory: cacheDirectory, secret: config.logins.secret },
  });
}

async function openSessions({ config, cacheDirectory }: OpenOptions): Promise<ReturnType<typeof createSessionStore>> {
  const { maxSessions, sessionTtlMs, maxStateBytes } = config.limits;
  await makeFolder(cacheDirectory, OWNER_ONLY);
  return createSessionStore({ file: join(cacheDirectory, 'sessions.db'), maxSessions, sessionTtlMs, maxStateBytes });
}

function openResults({ config, cacheDirectory, log }: OpenOptions): Promise<KeptResults> {
  const { maxKeptBytes: maxBytes, resultTtlMs: ttlMs } = config.limits;
  return openKeptResults({ directory: resultsFolder(cacheDirectory), maxBytes, ttlMs, log: (message, err) => log.warn({ err }, message) });
}

function openSkills({ config, cacheDirectory }: OpenOptions): SkillStore {
  const { skills: mode, limits } = config;
  // Where there are none, there is no file either.
  const file = mode === 'off' ? {} : { file: join(cacheDirectory, 'skills.db') };
  return createSkillStore({ ...file, mode, maxSkills: limits.maxSkills });
}
