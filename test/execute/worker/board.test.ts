import { expect, test } from 'vitest';
import { Board, createBoard } from '../../../src/execute/worker/board.ts';

/** The two sides of a board, as the two threads have them. */
function sides(slots = 4): { main: Board; worker: Board } {
  const main = createBoard(slots);
  return { main, worker: new Board(main.memory) };
}

test('a run is begun by its worker or taken back, never both', () => {
  const { main, worker } = sides();
  main.reset(1);
  main.reset(2);
  expect([worker.begin(1), main.takeBack(1), main.hasBegun(1)]).toEqual([true, false, true]);
  expect([main.takeBack(2), worker.begin(2), main.hasBegun(2)]).toEqual([true, false, false]);
});

test('a slot that is used again belongs to the new run', () => {
  const { main, worker } = sides();
  main.reset(0);
  worker.begin(0);
  main.interrupt(0);
  main.reset(0);
  expect(worker.flag(0)[0]).toBe(0);
  expect([main.hasBegun(0), worker.begin(0)]).toEqual([false, true]);
});

test('an interrupt reaches the run of its slot and no other', () => {
  const { main, worker } = sides();
  for (const slot of [0, 1, 2, 3]) main.reset(slot);
  for (const slot of [0, 1, 2, 3]) worker.begin(slot);
  main.interrupt(2);
  expect([0, 1, 2, 3].map((slot) => Atomics.load(worker.flag(slot), 0))).toEqual([0, 0, 1, 0]);
});

test('memory and work of the worker are seen from the other side', () => {
  const { main, worker } = sides();
  worker.hold(30);
  worker.hold(12);
  worker.hold(-30);
  worker.busy = true;
  expect([main.heldPages, main.busy]).toEqual([12, true]);
  worker.busy = false;
  expect(main.busy).toBe(false);
});
