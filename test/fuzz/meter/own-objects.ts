import type { Instruction } from './instruction.ts';

/** Every instruction as an object of its own: what is charged is noted by object. */
export function ownObjects(body: readonly Instruction[]): Instruction[] {
  return body.map((instruction) => {
    if (instruction.kind === 'if') {
      return { ...instruction, yes: ownObjects(instruction.yes), no: instruction.no && ownObjects(instruction.no) };
    }
    return 'body' in instruction ? { ...instruction, body: ownObjects(instruction.body) } : { ...instruction };
  });
}
