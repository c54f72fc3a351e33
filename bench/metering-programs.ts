/**
 * Ten programs that use an engine in different ways, each for some tens of milliseconds: what the meter costs differs by what an
 * engine does most, its interpreter's loop, its calls, or loops over characters and elements.
 */
export const METERING_PROGRAMS: Readonly<Record<string, string>> = {
  json: `
    const rows = [];
    for (let i = 0; i < 3000; i++) rows.push({ id: i, name: 'n' + i, tags: ['a', 'b'] });
    const text = JSON.stringify(rows);
    let n = 0;
    for (let i = 0; i < 5; i++) n += JSON.parse(text).length;
    return n;`,
  regex: `
    const text = 'foo bar 123 baz '.repeat(6000);
    let n = 0;
    for (const match of text.matchAll(/(\\w+) (\\d+)/g)) n += match[2].length;
    return n;`,
  sort: `
    const items = [];
    let x = 1;
    for (let i = 0; i < 15000; i++) {
      x = (x * 1103515245 + 12345) & 0x7fffffff;
      items.push({ x });
    }
    items.sort((a, b) => a.x - b.x);
    return items[9].x;`,
  strings: `
    let text = '';
    for (let i = 0; i < 8000; i++) text += 'line ' + i + ';';
    const rows = text.split(';').map((line) => line.toUpperCase().replace('LINE', 'row').padStart(12));
    let n = 0;
    for (const row of rows) n += row.indexOf('9');
    return n + rows.join(',').length;`,
  recursion: `
    const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2));
    return fib(22);`,
  loop: `
    let sum = 0;
    for (let i = 0; i < 500000; i++) sum = (sum + i * 3) | 0;
    return sum;`,
  objects: `
    const sums = new Map();
    const groups = {};
    for (let i = 0; i < 20000; i++) {
      const key = 'k' + (i % 997);
      sums.set(key, (sums.get(key) ?? 0) + i);
      (groups[key] ??= []).push(i);
    }
    let n = 0;
    for (const [key, sum] of sums) n += sum + groups[key].length;
    return n + Object.keys(groups).length;`,
  promises: `
    let n = 0;
    const later = async (i) => {
      await null;
      return () => i + n;
    };
    for (let i = 0; i < 3000; i++) n = (await later(i))() % 1000;
    const all = await Promise.all(Array.from({ length: 2000 }, (_, i) => later(i)));
    return all.reduce((sum, f) => sum + f(), 0);`,
  typedArrays: `
    const whole = new Uint32Array(10000);
    const real = new Float64Array(10000);
    for (let round = 0; round < 8; round++) {
      for (let i = 0; i < whole.length; i++) {
        whole[i] = (whole[i] * 31 + i) >>> 0;
        real[i] += Math.sqrt(whole[i]);
      }
    }
    let sum = 0;
    for (const value of real) sum += value;
    return Math.floor(sum + whole.slice(5, 900).sort()[7]);`,
  classes: `
    class Point {
      #x;
      constructor(x) { this.#x = x; }
      get x() { return this.#x; }
      area() { return this.x * 2; }
    }
    class Box extends Point {
      constructor(x, y) { super(x); this.y = y; }
      area() { return super.area() + this.y; }
    }
    let n = 0;
    for (let i = 0; i < 15000; i++) {
      const it = i % 2 ? new Point(i) : new Box(i, 1);
      n += it.area() + (it instanceof Box ? 1 : 0);
    }
    return n;`,
};

/** Quick to run a thousand times: objects, JSON, a regular expression, sorting, promises. */
export const FUEL_PROGRAM = `
  const rows = Array.from({ length: 40 }, (_, i) => ({ id: (i * 7919) % 101, name: 'item ' + i }));
  rows.sort((a, b) => a.id - b.id);
  const text = JSON.stringify(rows).replace(/item (\\d+)/g, '<$1>');
  const parts = await Promise.all(JSON.parse(text).map(async (row) => row.name.length));
  return { text, total: parts.reduce((sum, n) => sum + n, 0) };`;

/** What follows locale, time zone and clock: parts of the guest runtime that no other program here reaches. */
export const LANGUAGE_PROGRAM = `
    const at = new Date(1700000000000);
    const words = ['öl', 'Zebra', 'apfel', 'Äpfel'].sort((a, b) => a.localeCompare(b));
    const money = new Intl.NumberFormat('en', { style: 'currency', currency: 'EUR' }).format(1234567.891);
    const date = at.toLocaleString('en-US', { timeZone: 'Europe/Berlin', dateStyle: 'full', timeStyle: 'long' });
    const ago = new Intl.RelativeTimeFormat('en', { numeric: 'auto' }).format(-1, 'day');
    const parts = [...new Intl.Segmenter('en', { granularity: 'word' }).segment(date)].length;
    return words.length + money.length + ago.length + parts;`;
