import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { componentize } from 'componentize-qjs';
import { linkEngine, type CompiledEngine, type LinkedEngine } from '../../../src/engine/abi/link-engine.ts';
import { compileAll, recordPlan } from '../../../src/engine/abi/record-plan.ts';
import { connectHost } from '../../../src/engine/meter/host-table.ts';
import { meterModules } from '../../../src/engine/meter/meter.ts';
import { recipeOf } from '../../../src/engine/recipe.ts';
import { transpileComponent } from '../../../src/engine/transpile.ts';
import { MeterControl, type MeterBudget } from '../../../src/execute/worker/meter-control.ts';

/** The guest contract and nothing else: runs a script, and says what it gave or threw. */
const GUEST = `
let main, texts = ['nothing'];
export function load(script) { main = new Function(script); return ''; }
export async function start() {
  try { texts = ['returned', String(await main())]; } catch (error) { texts = ['threw', String(error)]; }
}
export async function resume() {}
export function status() { return texts; }
`;
const WORLD = fileURLToPath(new URL('../../../host-functions/world.wit', import.meta.url));

/** Core modules by name, in the order in which they are made. */
export interface QuickJs {
  engine: CompiledEngine;
  metered: ReadonlyMap<string, Uint8Array>;
}

/** A real engine, built from its package in two seconds. */
export async function buildQuickJs(maximumPages: number): Promise<QuickJs> {
  const { sealed, fuelOwner: owner, asyncExports } = recipeOf('quickjs');
  const wit = await readFile(WORLD, 'utf8');
  const world = asyncExports.reduce((text, name) => text.replace(`export ${name}: func(`, `export ${name}: async func(`), wit);
  const folder = await mkdtemp(join(tmpdir(), 'ampoule-test-'));
  try {
    await writeFile(join(folder, 'world.wit'), world);
    const { component } = await componentize({ witPath: folder, jsSource: GUEST, world: 'sandbox', stubWasi: true, sync: false });
    const { glue, modules } = await transpileComponent(component);
    const plan = recordPlan(glue, compileAll(modules), sealed);
    const needed = new Map(plan.instances.map(({ module }) => [module, modules.get(module) ?? new Uint8Array()]));
    const metered = meterModules(needed, { owner, maximumPages });
    return { engine: { plan, modules: compileAll(metered) }, metered };
  } finally {
    await rm(folder, { recursive: true });
  }
}

export interface Run {
  /** What the guest says of its end; undefined when it did not come to one. */
  texts?: string[];
  thrown?: unknown;
  meter: MeterControl;
  linked: LinkedEngine;
}

/** Runs a script in a fresh instance. */
export function runScript({ engine }: QuickJs, script: string, budget: Partial<MeterBudget> = {}): Run {
  const unused = (): never => {
    throw new Error('these scripts call no host function');
  };
  const linked = linkEngine(engine, () => ({ callTool: unused, readFile: unused, getState: unused, log: unused }));
  const pages = linked.memory.buffer.byteLength / 65_536;
  const meter = new MeterControl(linked.fuel, linked.memory);
  for (const table of linked.hostTables) connectHost(table, meter);
  meter.begin({ fuel: 1e10, pages, maximumPages: pages + 100, activeMs: 20_000, interrupt: new Int32Array(1), ...budget });
  try {
    const texts = meter.active(() => {
      linked.guest.load(script);
      linked.guest.start('null', '{}');
      return linked.guest.status();
    });
    return { texts, meter, linked };
  } catch (thrown) {
    return { thrown, meter, linked };
  }
}
