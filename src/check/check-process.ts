import type { SkillSet } from '../skill/skill-set.ts';
import type { WrapperSet } from '../wrappers/wrapper-set.ts';
import type { LibraryTypes } from './library-types.ts';
import type { OrphanWatch } from './orphan-watch.ts';
import { type RawDiagnostic, TypeServer, type UpdateSnapshotParams, type UpdateSnapshotResponse } from './type-server.ts';
import { type Changes, type GuestTypes, type ProgramPlace, VirtualProject } from './virtual-project.ts';

/** Programs with the same imports share a slot: the rest of a program need not be put together again for each. */
const MAX_SLOTS = 24;
/** A process is replaced after so many programs, whatever it may have kept of them. */
const MAX_CHECKS = 20_000;

interface Slot {
  readonly number: number;
  /** The modules that its programs name, and which skills these are. */
  readonly imports: string;
}

/** What a program is checked among. */
export interface Surroundings {
  readonly wrappers: WrapperSet;
  readonly skills?: SkillSet | undefined;
}

/** What a checker process is made of. */
export interface ProcessSetup {
  readonly guest: GuestTypes;
  readonly libraries: LibraryTypes;
  /** Folder of TypeScript's executable and lib files. */
  readonly compilerFolder: string;
  readonly watch: OrphanWatch;
}

/** One checker process with its virtual project. One program at a time. */
export class CheckProcess {
  readonly #server: TypeServer;
  readonly #project: VirtualProject;
  readonly #started: Promise<void>;
  /** The last used is the last. */
  #slots: Slot[] = [];
  #snapshot: number | undefined;
  #nextSlot = 0;
  #checks = 0;

  constructor(setup: ProcessSetup) {
    this.#project = new VirtualProject(setup.guest, setup.libraries);
    this.#server = new TypeServer(setup.compilerFolder, this.#project, setup.watch);
    this.#started = this.#server.initialize();
    this.#started.catch(() => undefined);
  }

  get pid(): number | undefined {
    return this.#server.pid;
  }

  get ended(): boolean {
    return this.#server.ended;
  }

  get worn(): boolean {
    return this.#checks >= MAX_CHECKS;
  }

  get exited(): Promise<void> {
    return this.#server.exited;
  }

  /** Resolves when the process answers. */
  async ready(): Promise<void> {
    await this.#started;
  }

  /** All errors of a module's text. @throws Error when the process ends meanwhile */
  async diagnose(text: string, around: Surroundings): Promise<readonly RawDiagnostic[]> {
    await this.#started;
    this.#checks += 1;
    const { config, program, params } = this.#prepare(text, around);
    const snapshot = await this.#server.update(params);
    const project = snapshot.projects.find(({ configFileName }) => configFileName === config);
    if (project === undefined) throw new Error('the type checker lost its project');
    const found = await this.#server.diagnose(snapshot.snapshot, project.id, program);
    // The snapshot before is let go when nobody waits any more.
    this.#keep(snapshot);
    return found.filter(({ fileName }) => fileName === undefined || fileName === program);
  }

  /** The text of a file that a message points into. */
  textOf(path: string): string | undefined {
    return this.#project.textOf(path);
  }

  kill(reason: Error): void {
    this.#server.kill(reason);
  }

  #prepare(text: string, { wrappers, skills }: Surroundings): ProgramPlace & { params: UpdateSnapshotParams } {
    const changes = this.#project.setWrappers(wrappers);
    const closed = changes === undefined ? [] : this.#slots.splice(0);
    const imports = importsOf(text) + (skills === undefined ? '' : `\n${skills.hash}`);
    const known = this.#slots.findIndex((slot) => slot.imports === imports);
    const slot = known < 0 ? { number: this.#nextSlot++, imports } : this.#slots.splice(known, 1)[0];
    if (slot === undefined) throw new RangeError('no slot');
    this.#slots.push(slot);
    if (this.#slots.length > MAX_SLOTS) closed.push(...this.#slots.splice(0, 1));
    const gone = closed.map(({ number }) => this.#project.deleteProgram(number));
    const place = this.#project.setProgram(slot.number, text, skills);
    return { ...place, params: update(place, gone, changes, known >= 0) };
  }

  #keep({ snapshot }: UpdateSnapshotResponse): void {
    if (this.#snapshot !== undefined) this.#server.release(this.#snapshot).catch(() => undefined);
    this.#snapshot = snapshot;
  }
}

function update(
  place: ProgramPlace,
  gone: readonly { readonly config: string; readonly files: readonly string[] }[],
  changes: Changes | undefined,
  known: boolean,
): UpdateSnapshotParams {
  const fileChanges = {
    changed: [...(changes?.changed ?? []), ...(known ? [place.program] : [])],
    created: [...(changes?.created ?? []), ...(known ? [] : [place.config, place.program])],
    deleted: [...(changes?.deleted ?? []), ...gone.flatMap(({ files }) => files)],
  };
  return {
    ...(known ? {} : { openProjects: [place.config] }),
    ...(gone.length === 0 ? {} : { closeProjects: gone.map(({ config }) => config) }),
    fileChanges,
  };
}

/** The modules that a text names, in their order. Too much or too little costs time and changes no answer. */
function importsOf(text: string): string {
  return [...text.matchAll(/\b(?:from|import)(?:\s*\(\s*|\s*)(["'])([^"'\n]{1,200})\1/gu)].map((match) => match[2]).join('\n');
}
