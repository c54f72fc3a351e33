import { SEGMENT_LIMIT } from './abi.ts';

/**
 * Decides where in a function body fuel is charged, and how much.
 *
 * A *piece* is a run of instructions without a branch or a join: once begun it is executed to its end. A *segment* is a
 * charge at one place for all pieces that belong to it. Rules:
 * - Function entry and each loop header begin a segment.
 * - A piece belongs to the segment that is current where it begins, if the longest path through that segment up to the
 *   piece's end stays within SEGMENT_LIMIT; otherwise it begins a segment of its own.
 * - After a block, `if` or loop, and in an `else`, the segment that was current where the block began is current again.
 * - A segment charges its longest path.
 * So the segment of a piece dominates it and lies in the same innermost loop. Between two executions of a piece its loop
 * header was passed, and after that its segment: every execution is paid for in advance. What a segment charges beyond
 * the path that is then taken is at most SEGMENT_LIMIT.
 */
export class SegmentPlan {
  /** Number of segments in the three arrays below, which are in order of position. */
  count = 0;
  /** Offset in the module where the charge goes. */
  positions = new Uint32Array(1024);
  /** The longest path found so far. */
  costs = new Uint32Array(1024);
  /** 1 at function entry and loop headers, else 0. */
  headers = new Uint8Array(1024);
  /** Cost of all instructions of the function, whether executed or not. */
  total = 0;
  /** Open blocks, the function's own included. 0 after its last `end`. */
  depth = 0;

  private current = 0;
  private pieceStart = 0;
  private pieceCost = 0;
  private dead = false;
  /** For each segment: the longest path through it up to here, or up to where control left it. */
  private reach = new Uint32Array(1024);
  /** For each open block: the segment that was current where it began, and the longest path through it up to there. */
  private frameSegments = new Uint32Array(256);
  private frameReach = new Uint32Array(256);
  /** The longest path through the same segment up to the block's end, over the branches to it seen so far. */
  private frameLabels = new Uint32Array(256);
  private frameLoops = new Uint8Array(256);
  private frameDead = new Uint8Array(256);

  /** Begins a function whose first instruction is at `position`. */
  begin(position: number): void {
    this.count = 0;
    this.total = 0;
    this.depth = 0;
    this.pieceCost = 0;
    this.dead = false;
    this.startSegment(position, 1);
    this.pieceStart = position;
    this.push(false);
  }

  /** Counts one instruction. */
  instruction(cost: number): void {
    if (this.dead) return;
    this.pieceCost += cost;
    this.total += cost;
  }

  /** `next` is here and below the position after the instruction. */
  openBlock(next: number): void {
    this.boundary(next);
    this.push(false);
  }

  openLoop(next: number): void {
    this.boundary(next);
    this.push(true);
    if (!this.dead) this.startSegment(next, 1);
  }

  openIf(next: number): void {
    this.boundary(next);
    this.push(false);
  }

  elseArm(next: number): void {
    this.boundary(next);
    this.arrive(this.depth - 1);
    const frame = this.depth - 1;
    this.current = this.frameSegments[frame] ?? 0;
    this.reach[this.current] = this.frameReach[frame] ?? 0;
    // Without an `else` the arm that is not there arrives at the end as it began: see push.
    this.dead = this.frameDead[frame] === 1;
  }

  close(next: number): void {
    this.boundary(next);
    const frame = this.depth - 1;
    this.arrive(frame);
    this.depth = frame;
    this.current = this.frameSegments[frame] ?? 0;
    this.reach[this.current] = this.frameLabels[frame] ?? 0;
    // No branch leads to the end of a loop; to that of a block or an `if` there may be one.
    if (this.frameLoops[frame] === 0) this.dead = this.frameDead[frame] === 1;
  }

  /** A branch that may be taken to the `label`-th open block, counted from the innermost. */
  branch(label: number): void {
    this.settle();
    const frame = this.depth - 1 - label;
    if (frame >= 0 && this.frameLoops[frame] === 0) this.arrive(frame);
  }

  /** After br_if. */
  conditional(next: number): void {
    this.boundary(next);
  }

  /** After br, br_table, return and unreachable: nothing is executed up to the next `else` or `end`. */
  transfer(next: number): void {
    this.boundary(next);
    this.dead = true;
  }

  /** Control may go from here to the end of block `frame`. */
  private arrive(frame: number): void {
    if (this.dead) return;
    const reach = this.reach[this.frameSegments[frame] ?? 0] ?? 0;
    if (reach > (this.frameLabels[frame] ?? 0)) this.frameLabels[frame] = reach;
  }

  /** Ends the piece that was being counted, and begins one at `next`. */
  private boundary(next: number): void {
    this.settle();
    this.pieceStart = next;
  }

  /** Gives the piece that was being counted to a segment. */
  private settle(): void {
    if (this.pieceCost === 0) return;
    const longer = (this.reach[this.current] ?? 0) + this.pieceCost;
    if (longer <= SEGMENT_LIMIT || this.positions[this.current] === this.pieceStart) {
      this.extend(longer);
    } else {
      this.startSegment(this.pieceStart, 0);
      this.extend(this.pieceCost);
    }
    this.pieceCost = 0;
  }

  private extend(reach: number): void {
    this.reach[this.current] = reach;
    if (reach > (this.costs[this.current] ?? 0)) this.costs[this.current] = reach;
  }

  private startSegment(position: number, header: 0 | 1): void {
    if (this.count === this.positions.length) this.growSegments();
    this.current = this.count++;
    this.positions[this.current] = position;
    this.costs[this.current] = 0;
    this.reach[this.current] = 0;
    this.headers[this.current] = header;
  }

  private push(loop: boolean): void {
    if (this.depth === this.frameLoops.length) this.growFrames();
    const frame = this.depth++;
    this.frameSegments[frame] = this.current;
    this.frameReach[frame] = this.reach[this.current] ?? 0;
    this.frameLabels[frame] = this.frameReach[frame] ?? 0;
    this.frameLoops[frame] = loop ? 1 : 0;
    this.frameDead[frame] = this.dead ? 1 : 0;
  }

  private growSegments(): void {
    this.positions = larger(this.positions, new Uint32Array(this.count * 2));
    this.costs = larger(this.costs, new Uint32Array(this.count * 2));
    this.headers = larger(this.headers, new Uint8Array(this.count * 2));
    this.reach = larger(this.reach, new Uint32Array(this.count * 2));
  }

  private growFrames(): void {
    this.frameSegments = larger(this.frameSegments, new Uint32Array(this.depth * 2));
    this.frameReach = larger(this.frameReach, new Uint32Array(this.depth * 2));
    this.frameLabels = larger(this.frameLabels, new Uint32Array(this.depth * 2));
    this.frameLoops = larger(this.frameLoops, new Uint8Array(this.depth * 2));
    this.frameDead = larger(this.frameDead, new Uint8Array(this.depth * 2));
  }
}

function larger<A extends Uint8Array | Uint32Array>(from: A, to: A): A {
  to.set(from);
  return to;
}
