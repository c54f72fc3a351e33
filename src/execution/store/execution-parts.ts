import type { StatementSync } from 'node:sqlite';
import { hash } from 'blake3';
import { damagedExecution } from '../execution-errors.ts';
import type { StoredWait } from '../execution-store.ts';
import { seal, SEALED_BYTES, splitText, textHash, unseal, wholeText, type SplitText } from './sealed-text.ts';
import { KIND, type PartKind, type STATEMENTS } from './store-schema.ts';

export type Statements = Readonly<Record<keyof typeof STATEMENTS, StatementSync>>;

/** Whose parts: the row, and the id for what people read. */
export interface PartsOwner {
  readonly n: number;
  readonly id: string;
}

/** The sealed texts that an execution is made of. Long literals in them are stored once, whatever refers to them. */
export class ExecutionParts {
  readonly #run: Statements;

  constructor(run: Statements) {
    this.#run = run;
  }

  /** Keeps a JSON text in a place where there is none. */
  add(owner: PartsOwner, kind: PartKind, number: number, text: string): void {
    this.#add(owner, kind, number, splitText(text));
  }

  /** Keeps a JSON text, in the place of one that may be there. */
  put(owner: PartsOwner, kind: PartKind, number: number, text: string): void {
    this.#run.removeUses.run(owner.n, kind, number);
    this.#add(owner, kind, number, splitText(text));
  }

  /** Keeps a text that is no JSON in a place where there is none. */
  addWhole(owner: PartsOwner, kind: PartKind, number: number, text: string): void {
    this.#add(owner, kind, number, wholeText(text));
  }

  #add(owner: PartsOwner, kind: PartKind, number: number, { glue, literals }: SplitText): void {
    const hashed = literals.map(({ at, text: literal }) => ({ at, literal, hash: textHash(literal) }));
    this.#run.addPart.run(owner.n, kind, number, seal(placeOf(owner, kind, number), glue, hashed));
    for (const [place, { literal, hash }] of hashed.entries()) this.#use(owner, kind, number, place, hash, literal);
  }

  #use({ n }: PartsOwner, kind: PartKind, number: number, place: number, hash: Uint8Array, literal: string): void {
    const use = (): boolean => this.#run.addUse.run(n, kind, number, place, hash).changes === 1;
    // Most texts come again.
    if (use()) return;
    const id = this.#run.addText.run(hash).lastInsertRowid;
    this.#run.addContent.run(id, literal);
    use();
  }

  has({ n }: PartsOwner, kind: PartKind, number: number): boolean {
    return this.#run.hasPart.get(n, kind, number) !== undefined;
  }

  /** @throws SandboxError ERR_EXECUTION_DAMAGED */
  get(owner: PartsOwner, kind: PartKind, number: number): string | undefined {
    const row = this.#run.part.get(owner.n, kind, number);
    return row === undefined ? undefined : this.#open(owner, kind, number, row['content']);
  }

  /** Every part, kind by kind and by number. @throws SandboxError ERR_EXECUTION_DAMAGED, except for parts of a kind in `isOptional`: those are undefined */
  *all(owner: PartsOwner, isOptional: (kind: number) => boolean): Iterable<{ kind: number; number: number; text: string | undefined }> {
    for (const row of this.#run.parts.iterate(owner.n)) {
      const [kind, number] = [Number(row['kind']), Number(row['number'])];
      try {
        yield { kind, number, text: this.#open(owner, kind, number, row['content']) };
      } catch (error) {
        if (!isOptional(kind)) throw error;
        yield { kind, number, text: undefined };
      }
    }
  }

  numbers({ n }: PartsOwner, kind: PartKind): number[] {
    return this.#run.numbers.all(n, kind).map(({ number }) => Number(number));
  }

  /** What the texts of a kind have together, without long literals: those are not read for it, and neither are the texts. */
  bytes({ n }: PartsOwner, kind: PartKind): number {
    const row = this.#run.kindBytes.get(n, kind);
    return Number(row?.['bytes']) - Number(row?.['count']) * SEALED_BYTES;
  }

  remove({ n }: PartsOwner, kind: PartKind, number: number): void {
    this.#run.removeUses.run(n, kind, number);
    this.#run.removePart.run(n, kind, number);
  }

  removeKind({ n }: PartsOwner, kind: PartKind): void {
    this.#run.removeKindUses.run(n, kind);
    this.#run.removeKind.run(n, kind);
  }

  /** The image of a run that is put away, with the part that says what it waits for. */
  putImage(owner: PartsOwner, wait: StoredWait, image: Uint8Array): void {
    const kept: KeptWait = { wait: { ...wait, imageBytes: image.length }, hash: imageHash(image) };
    this.put(owner, KIND.wait, 0, JSON.stringify(kept));
    this.#run.addImage.run(owner.n, image);
  }

  /** @throws SandboxError ERR_EXECUTION_DAMAGED */
  image(owner: PartsOwner): Uint8Array | undefined {
    const wait = this.wait(owner);
    if (wait === undefined) return undefined;
    const image = this.#run.image.get(owner.n)?.['content'];
    if (image instanceof Uint8Array && imageHash(image) === wait.hash) return image;
    throw damagedExecution(owner.id, 'image');
  }

  /** @throws SandboxError ERR_EXECUTION_DAMAGED */
  wait(owner: PartsOwner): KeptWait | undefined {
    const text = this.get(owner, KIND.wait, 0);
    return text === undefined ? undefined : (JSON.parse(text) as KeptWait);
  }

  removeImage(owner: PartsOwner): void {
    this.remove(owner, KIND.wait, 0);
    this.#run.removeImage.run(owner.n);
  }

  #open(owner: PartsOwner, kind: number, number: number, content: unknown): string {
    const text = content instanceof Uint8Array ? unseal(placeOf(owner, kind, number), content, (hash) => this.#literal(hash)) : undefined;
    if (text === undefined) throw damagedExecution(owner.id, kind === KIND.wait ? 'image' : 'record');
    return text;
  }

  #literal(hash: Buffer): string | undefined {
    const content = this.#run.content.get(hash)?.['content'];
    if (typeof content === 'string' && hash.equals(textHash(content))) return content;
    // Whoever writes that text next stores it anew, and what has it now is whole again.
    if (content !== undefined) this.#forget(hash);
    return undefined;
  }

  #forget(hash: Buffer): void {
    try {
      this.#run.forgetText.run(hash);
    } catch {
      // Where nobody can write nobody stores it either.
    }
  }
}

/** The part that goes with an image. */
export interface KeptWait {
  readonly wait: StoredWait;
  /** Blake3 of the image, in hexadecimal. */
  readonly hash: string;
}

function imageHash(image: Uint8Array): string {
  return hash(image).toString('hex');
}

function placeOf({ id }: PartsOwner, kind: number, number: number): string {
  return `${id} ${kind} ${number}`;
}
