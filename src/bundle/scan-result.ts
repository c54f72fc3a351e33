import type { ErrorCode } from '../errors.ts';
import type { ModuleUse, SkillExport } from '../skill/skill.ts';
import type { EngineKind } from './specifiers.ts';

/** Something in the agent's text that ends the bundling. */
export interface Problem {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly offset: number;
  /** The engine that has the problem; every one when absent. */
  readonly engine?: EngineKind;
}

/** A module that the agent's text names as a string. */
export interface ImportSite {
  readonly specifier: string;
  /** Offset of the string. */
  readonly offset: number;
}

/** A name that an import declaration brings into the program. */
export interface Binding {
  readonly specifier: string;
  readonly local: string;
  /** Name of the export; "*" is the module itself. */
  readonly imported: string;
  /** Of a module: the exports that the text names, when it does nothing else with it. */
  readonly members?: readonly string[];
}

/** Text to put in the place of `start` to `end`; without `text` the range becomes blank. Ranges never overlap. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text?: string;
}

/** What the parser found in the agent's text: all that is needed to make a function body of it. */
export interface Scan {
  readonly kind: 'scan';
  /** Import declarations, to be moved in front of the function. */
  readonly imports: readonly { start: number; end: number }[];
  readonly sites: readonly ImportSite[];
  /** What the imports bring; undefined when there is one of another kind than named exports and modules. */
  readonly bindings: readonly Binding[] | undefined;
  readonly edits: readonly Edit[];
  /** Namespaces with code, which only a module may hold: the bundler turns each into plain statements. */
  readonly namespaces: readonly { start: number; end: number; name: string; declared: boolean }[];
  /** The name that stands for the default export while the program runs; it does not occur in the text. */
  readonly resultName: string;
  /** The free variable through which the bundle hands the program to the script around it; it does not occur in the text. */
  readonly programName: string;
  /** Appended to the body: gives back the default export. */
  readonly tail: string;
  readonly problems: readonly Problem[];
  /** Of exports that there are not, nothing is to be told: there may be too many. */
  readonly quiet: boolean;
  /** The program's function as plain JavaScript, as long as `composeProgram` makes it without imports, when that can be had without esbuild. */
  readonly stripped?: string;
}

/** The text that no parser could read. */
export interface Unreadable {
  readonly kind: 'unreadable';
  readonly reason: 'syntax' | 'nesting';
  readonly message: string;
  readonly offset: number;
}

/** What the parser found in a text that others are to import. */
export interface ModuleScan {
  readonly kind: 'module';
  readonly sites: readonly ImportSite[];
  readonly problems: readonly Problem[];
  /** As in a {@link Scan}. */
  readonly quiet: boolean;
  readonly exports: readonly SkillExport[];
  /** What it takes from each module that it names. */
  readonly uses: readonly ModuleUse[];
  /** Server and tool of each `callTool` that spells them out. */
  readonly calls: readonly (readonly [server: string, tool: string])[];
}

/** The regular expressions that an engine needs in another form, in the order of the text. */
export interface RegExpPort {
  readonly kind: 'port';
  readonly edits: readonly Edit[];
}

export type ScanResult = Scan | Unreadable;

/** What the parser's process answers. */
export type Found = ScanResult | ModuleScan | RegExpPort;

/** What it is asked. */
export interface ScanRequest {
  readonly text: string;
  /** A program runs and has a result; a module is imported; a script is finished but for its regular expressions. */
  readonly form: 'program' | 'module' | 'script';
}
