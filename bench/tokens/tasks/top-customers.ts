import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Task } from '../task.ts';

const CUSTOMERS = 60;
const ORDERS = 300;

const customers = Array.from(
  { length: CUSTOMERS },
  (_, id) => `${id},Customer ${String.fromCodePoint(65 + (id % 26))}${id},${['north', 'south', 'west'][id % 3]}`,
);
const orders = Array.from(
  { length: ORDERS },
  (_, id) => `${5000 + id},${(id * 37) % CUSTOMERS},${((id * 7919) % 9000) + 100},2026-${String((id % 11) + 1).padStart(2, '0')}-14`,
);

/** The five customers who spent most. */
function topOf(): [string, number][] {
  const spent = new Map<string, number>();
  for (const row of orders) {
    const [, customer = '', cents = '0'] = row.split(',');
    spent.set(customer, (spent.get(customer) ?? 0) + Number(cents));
  }
  const names = new Map(customers.map((row) => [row.split(',')[0], row.split(',')[1] ?? '']));
  return [...spent]
    .map(([id, cents]): [string, number] => [names.get(id) ?? '', cents])
    .toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .slice(0, 5);
}

export const topCustomers: Task = {
  name: 'top customers',
  about: 'join two tables of 60 and 300 rows, give the five customers who spent most',
  async prepare(folder) {
    await writeFile(join(folder, 'customers.csv'), ['id,name,region', ...customers].join('\n'));
    await writeFile(join(folder, 'orders.csv'), ['id,customer,cents,date', ...orders].join('\n'));
  },
  async direct(call, folder) {
    await call('filesystem', 'read_text_file', { path: join(folder, 'customers.csv') });
    await call('filesystem', 'read_text_file', { path: join(folder, 'orders.csv') });
    return topOf();
  },
  searches: [{ query: 'read text file', detail: 'full', limit: 1 }],
  code: `import { readTextFile } from "servers/filesystem";

async function rows(name: string): Promise<string[][]> {
  const { content } = await readTextFile({ path: \`\${input}/\${name}\` });
  return content.split("\\n").slice(1).map((line) => line.split(","));
}
const [customers, orders] = await Promise.all([rows("customers.csv"), rows("orders.csv")]);
const names = new Map(customers.map(([id, name]) => [id, name]));
const spent = new Map<string, number>();
for (const [, customer, cents] of orders) spent.set(customer, (spent.get(customer) ?? 0) + Number(cents));
return [...spent]
  .map(([id, cents]) => [names.get(id), cents] as const)
  .sort((a, b) => b[1] - a[1] || (a[0]! < b[0]! ? -1 : 1))
  .slice(0, 5);
`,
};
