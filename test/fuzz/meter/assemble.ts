import { buildModule, I32, text, u, vector, type Bytes } from '../../engine/meter/wasm-builder.ts';
import {
  GLOBALS,
  IMPORTED,
  LOCALS,
  MAXIMUM_PAGES,
  MAXIMUM_TABLE,
  MINIMUM_PAGES,
  TABLE_SIZE,
  type BlockType,
  type Instruction,
  type Program,
} from './instruction.ts';

/** The module of a program: it imports `env.effect`, and exports `run` (its first function), `memory`, and global 0 as `turns`. */
export function assemble({ functions, data, elements }: Program): Uint8Array {
  const callable = functions.map((_, index) => u(IMPORTED + index));
  return buildModule(
    {
      functions: functions.map(({ body }, index) => ({
        parameters: [I32],
        results: [I32],
        locals: LOCALS,
        code: body.flatMap(emit),
        ...(index === 0 ? { name: 'run' } : {}),
      })),
      imports: [[...text('env'), ...text('effect'), 0, ...u(functions.length)]],
      importedFunctions: IMPORTED,
      tables: [[0x70, 1, TABLE_SIZE, MAXIMUM_TABLE]],
      memories: [[1, MINIMUM_PAGES, MAXIMUM_PAGES]],
      globals: Array.from({ length: GLOBALS }, () => [0x7f, 1, 0x41, 0, 0x0b]),
      exports: [
        [...text('memory'), 2, 0],
        [...text('turns'), 3, 0],
      ],
      // The first is passive, and what `table.init` reads; the second fills the table's first entries.
      elements: [
        [1, 0, ...vector(elements.map((index) => u(IMPORTED + index)))],
        [0, 0x41, 0, 0x0b, ...vector(callable)],
      ],
      data: [[1, ...vector([...data].map((byte) => [byte]))]],
    },
    [[0x60, 1, I32, 0]],
  );
}

/** The byte after 0x02, 0x03 and 0x04. Type 0 is the first function's: from one i32 to one. */
const TYPES: Readonly<Record<BlockType, number>> = { none: 0x40, value: I32, pass: 0 };

function emit(instruction: Instruction): Bytes {
  switch (instruction.kind) {
    case 'plain':
      return instruction.bytes;
    case 'block':
      return [0x02, TYPES[instruction.type], ...instruction.body.flatMap(emit), 0x0b];
    case 'loop':
      return [0x03, TYPES[instruction.type], ...instruction.body.flatMap(emit), 0x0b];
    case 'if': {
      const no = instruction.no === null ? [] : [0x05, ...instruction.no.flatMap(emit)];
      return [0x04, TYPES[instruction.type], ...instruction.yes.flatMap(emit), ...no, 0x0b];
    }
    case 'br':
      return [0x0c, ...u(instruction.label)];
    case 'brIf':
      return [0x0d, ...u(instruction.label)];
    case 'brTable':
      return [0x0e, ...vector(instruction.labels.slice(0, -1).map(u)), ...u(instruction.labels.at(-1) ?? 0)];
    case 'return':
      return [0x0f];
    case 'unreachable':
      return [0x00];
    case 'call':
      return [0x10, ...u(IMPORTED + instruction.callee)];
    case 'callIndirect':
      return [0x11, 0, 0];
  }
}
