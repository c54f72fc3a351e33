import type { Point } from '../result.ts';

/** A straight line through points: `y = start + slope * x`, by least squares. */
export interface Line {
  readonly start: number;
  readonly slope: number;
  /** How much of the points' variance the line explains: 1 is all of it. */
  readonly fit: number;
}

export function lineThrough(points: readonly Point[]): Line {
  const mean = (of: (point: Point) => number): number => points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean((point) => point.x), mean((point) => point.y)];
  const spreadX = points.reduce((sum, point) => sum + (point.x - x) ** 2, 0);
  const spreadY = points.reduce((sum, point) => sum + (point.y - y) ** 2, 0);
  const common = points.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0);
  const slope = common / spreadX;
  return { start: y - slope * x, slope, fit: spreadY === 0 ? 1 : common ** 2 / (spreadX * spreadY) };
}

/** Three significant digits, for sentences. */
export function figure(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 0.1 ? 2 : 4;
  return Number(value.toFixed(digits)).toLocaleString('en', { maximumFractionDigits: 4 });
}

/** The first and the last of some points. @throws TypeError when there is none */
export function ends(points: readonly Point[]): { readonly first: Point; readonly last: Point } {
  const first = points[0];
  const last = points.at(-1);
  if (first === undefined || last === undefined) throw new TypeError('a curve has no points');
  return { first, last };
}

/** "in proportion", "slower than in proportion" or "faster than in proportion", by how much of the growth of x is growth of y. */
export function growth(points: readonly Point[]): string {
  const { first, last } = ends(points);
  const exponent = Math.log(last.y / first.y) / Math.log(last.x / first.x);
  if (exponent < 0.15) return 'hardly at all';
  if (exponent < 0.85) return 'more slowly than in proportion';
  return exponent <= 1.15 ? 'in proportion' : 'faster than in proportion';
}
