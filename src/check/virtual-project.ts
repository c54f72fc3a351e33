import type { SkillSet } from '../skill/skill-set.ts';
import type { WrapperSet } from '../wrappers/wrapper-set.ts';
import type { LibraryTypes } from './library-types.ts';
import type { VirtualDisk } from './type-server.ts';
import { VIRTUAL_ROOT, wrapperModules } from './wrapper-modules.ts';

const GLOBALS = `${VIRTUAL_ROOT}/globals.d.ts`;
const AMPOULE = `${VIRTUAL_ROOT}/ampoule.d.ts`;
/** Makes it a module, and takes away the place where `/// <reference>` works. */
const MODULE_MARK = 'export {};';
const LIBRARIES = `${VIRTUAL_ROOT}/node_modules`;

const OPTIONS = {
  target: 'es2024',
  noLib: true,
  module: 'esnext',
  moduleResolution: 'bundler',
  moduleDetection: 'force',
  strict: true,
  // What a program catches is nearly always a ToolError or an Error, and agents write `error.message` without asking.
  useUnknownInCatchVariables: false,
  noEmit: true,
  types: [],
  typeRoots: [],
  skipLibCheck: true,
  allowImportingTsExtensions: true,
  allowUnreachableCode: true,
  allowUnusedLabels: true,
  resolveJsonModule: false,
  // Short, because the checker sends the options of every project back at every check.
  paths: { ampoule: [AMPOULE], 'servers/*': [`${VIRTUAL_ROOT}/servers/*/index.ts`, `${VIRTUAL_ROOT}/servers/*`] },
  experimentalDecorators: false,
};

/** The texts that a guest's environment is declared with. */
export interface GuestTypes {
  /** The language and the globals beside it. */
  readonly globals: string;
  /** More declarations of the language, each a module that declares globals. */
  readonly globalModules: readonly string[];
  /** Text of `ampoule.d.ts`: one `declare module 'ampoule'`. */
  readonly ampoule: string;
}

/** What has changed for the checker since it looked last. */
export interface Changes {
  readonly changed: string[];
  readonly created: string[];
  readonly deleted: string[];
}

/** Where a program and its project are. */
export interface ProgramPlace {
  readonly config: string;
  readonly program: string;
}

/** Every file that exists for one checker process: the guest's environment, the wrappers, libraries' types and programs. */
export class VirtualProject implements VirtualDisk {
  readonly #files = new Map<string, string>();
  readonly #folders = new Map<string, number>();
  readonly #libraries: LibraryTypes;
  readonly #roots: readonly string[];
  #wrappersHash: string | undefined;
  #wrapperFiles: ReadonlyMap<string, string> = new Map();

  constructor(guest: GuestTypes, libraries: LibraryTypes) {
    this.#libraries = libraries;
    this.#write(GLOBALS, `${guest.globals}\ndeclare const input: any;\n`);
    this.#write(AMPOULE, moduleText(guest.ampoule));
    this.#roots = [GLOBALS, ...guest.globalModules.map((_, at) => `${VIRTUAL_ROOT}/globals-${at}.d.ts`)];
    for (const [at, text] of guest.globalModules.entries()) this.#write(`${VIRTUAL_ROOT}/globals-${at}.d.ts`, text);
  }

  readFile(path: string): string | undefined {
    const text = this.#files.get(path);
    if (text !== undefined) return text;
    if (path.startsWith(`${LIBRARIES}/`)) return this.#libraries.readFile(path.slice(LIBRARIES.length + 1));
    return undefined;
  }

  fileExists(path: string): boolean {
    if (this.#files.has(path)) return true;
    if (path.startsWith(`${LIBRARIES}/`)) return this.#libraries.fileExists(path.slice(LIBRARIES.length + 1));
    return false;
  }

  directoryExists(path: string): boolean {
    const folder = path.replace(/\/$/u, '');
    const isLibrary = folder === LIBRARIES || folder.startsWith(`${LIBRARIES}/`);
    if (isLibrary) return this.#libraries.directoryExists(folder.slice(LIBRARIES.length + 1));
    return folder === '' || this.#folders.has(folder);
  }

  /** Takes over a wrapper set; undefined when it is the one that was there. */
  setWrappers(wrappers: WrapperSet): Changes | undefined {
    if (wrappers.hash === this.#wrappersHash) return undefined;
    const files = wrapperModules(wrappers);
    const changes: Changes = { changed: [], created: [], deleted: [] };
    for (const path of this.#wrapperFiles.keys()) {
      if (files.has(path)) continue;
      this.#delete(path);
      changes.deleted.push(path);
    }
    for (const [path, text] of files) {
      const old = this.#files.get(path);
      if (old !== text) (old === undefined ? changes.created : changes.changed).push(path);
      this.#write(path, text);
    }
    [this.#wrappersHash, this.#wrapperFiles] = [wrappers.hash, files];
    return changes;
  }

  /** A project for programs in `slot`; gives back its configuration file and its program file. */
  setProgram(slot: number, text: string, skills?: SkillSet): ProgramPlace {
    const place = placeOf(slot);
    this.#write(place.program, text);
    if (this.#files.has(place.config)) return place;
    this.#write(place.config, configOf(place, this.#roots, skills));
    for (const { name, code } of skills?.modules.values() ?? []) this.#write(skillPath(slot, name), MODULE_MARK + code);
    return place;
  }

  /** Takes a slot's files away; gives back where its project was, and all files. */
  deleteProgram(slot: number): { readonly config: string; readonly files: string[] } {
    const place = placeOf(slot);
    const files = [place.config, place.program, ...[...this.#files.keys()].filter((path) => path.startsWith(skillPath(slot, '', '')))];
    for (const path of files) this.#delete(path);
    return { config: place.config, files };
  }

  /** The text of a file of ours, for messages. */
  textOf(path: string): string | undefined {
    return this.#files.get(path);
  }

  /** Half a surrogate pair is nothing that the checker's protocol can carry: it waits for an answer for ever. */
  #write(path: string, text: string): void {
    if (!this.#files.has(path)) this.#countFolders(path, 1);
    this.#files.set(path, text.toWellFormed());
  }

  #delete(path: string): void {
    if (this.#files.delete(path)) this.#countFolders(path, -1);
  }

  #countFolders(path: string, by: number): void {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const folder = path.slice(0, end);
      const count = (this.#folders.get(folder) ?? 0) + by;
      if (count === 0) this.#folders.delete(folder);
      else this.#folders.set(folder, count);
    }
  }
}

function configOf({ program }: ProgramPlace, roots: readonly string[], skills: SkillSet | undefined): string {
  const folder = program.slice(0, program.lastIndexOf('/'));
  const paths = skills && { ...OPTIONS.paths, 'skills/*': [`${folder}/skills/*.ts`, `${folder}/skills/*`] };
  return JSON.stringify({ compilerOptions: { ...OPTIONS, ...(paths && { paths }) }, files: [...roots, program] });
}

/** A folder of its own for each project: other programs may have other versions of the same skills. */
function skillPath(slot: number, name: string, ending = '.ts'): string {
  return `${VIRTUAL_ROOT}/program${slot}/skills/${name}${ending}`;
}

function placeOf(slot: number): ProgramPlace {
  const folder = `${VIRTUAL_ROOT}/program${slot}`;
  return { config: `${folder}/tsconfig.json`, program: `${folder}/program.ts` };
}

/** The ambient module as a file of its own: an ambient one is looked for in every folder first. */
function moduleText(ambient: string): string {
  const body = /^declare module ['"]ampoule['"] \{\n([\s\S]*)^\}\s*$/mu.exec(ambient)?.[1];
  return body ?? ambient;
}
