import type { ContentBlock } from '@modelcontextprotocol/server';
import type { Diagnostic } from '../errors.ts';
import { isRecord, placeholderOf, readBlock } from './rich-block.ts';

/** How deep in a result blocks are looked for, and how many go into one answer; what is beyond stays plain data. */
const MAX_DEPTH = 16;
const MAX_BLOCKS = 64;
const MAX_WARNINGS = 10;

export interface SplitResult {
  readonly result: unknown;
  readonly blocks: readonly ContentBlock[];
  /** About values that claim to be blocks and are none. */
  readonly warnings: readonly Diagnostic[];
}

/**
 * Takes MCP content blocks out of a result, wherever they are in it. In `{ content: [...] }`, as a tool answers, the texts between the
 * others go with them. What only looks like a block stays plain data, and so does text that comes without any other content.
 * @param firstIndex the place in `content` that the first block will have
 */
export function splitRichContent(result: unknown, firstIndex: number): SplitResult {
  const splitter = new Splitter(firstIndex);
  return { result: splitter.split(result), blocks: splitter.blocks, warnings: splitter.warnings };
}

class Splitter {
  readonly blocks: ContentBlock[] = [];
  readonly warnings: Diagnostic[] = [];
  readonly #firstIndex: number;

  constructor(firstIndex: number) {
    this.#firstIndex = firstIndex;
  }

  split(result: unknown): unknown {
    if (!isRecord(result) || !Array.isArray(result['content'])) return this.#walk(result, '$', 0);
    const content: readonly unknown[] = result['content'];
    const hasRich = content.some((value) => isBlockLike(readBlock(value)));
    const parts = content.map((value, index) =>
      hasRich && isText(value) && this.#hasRoom() ? this.#take(value) : this.#walk(value, `$.content[${index}]`, 1),
    );
    const entries = Object.entries(result).map(([key, member]) => [key, key === 'content' ? parts : this.#walk(member, `$.${key}`, 1)]);
    return Object.fromEntries(entries) as unknown;
  }

  #walk(value: unknown, path: string, depth: number): unknown {
    if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return value;
    if (Array.isArray(value)) return value.map((item, index) => this.#walk(item, `${path}[${index}]`, depth + 1));
    const read = this.#hasRoom() ? readBlock(value) : undefined;
    if (isBlockLike(read)) return this.#take(read.block);
    if (read) this.#warn(path, read.problem);
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, this.#walk(member, `${path}.${key}`, depth + 1)]));
  }

  #hasRoom(): boolean {
    return this.blocks.length < MAX_BLOCKS;
  }

  #take(block: ContentBlock): unknown {
    this.blocks.push(block);
    return placeholderOf(block, this.#firstIndex + this.blocks.length - 1);
  }

  #warn(path: string, problem: string): void {
    if (this.warnings.length < MAX_WARNINGS) this.warnings.push(contentWarning(path, problem));
  }
}

/** About a value at a path that claims to be content and is none. */
export function contentWarning(path: string, problem: string): Diagnostic {
  return { code: 'WARN_CONTENT_INVALID', message: `${path} is shown as plain data and not as MCP content: ${problem}.` };
}

function isBlockLike(read: ReturnType<typeof readBlock>): read is Extract<ReturnType<typeof readBlock>, { block: unknown }> {
  return read !== undefined && 'block' in read;
}

function isText(value: unknown): value is Extract<ContentBlock, { type: 'text' }> {
  return isRecord(value) && value['type'] === 'text' && typeof value['text'] === 'string';
}
