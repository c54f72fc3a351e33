import { LIMITS } from '../../src/limits.ts';
import type { Limit } from '../../src/limits.ts';

/** The table of all limits in `docs/configuration.md`. */
export function limitsTable(): string {
  const rows = Object.entries(LIMITS).map(([name, limit]: [string, Limit]) => {
    const range = `${amount(limit.minimum, limit)} to ${amount(limit.maximum, limit)}`;
    return `| \`${name}\` | ${amount(limit.default, limit)} | ${range} | ${limit.unit} | ${limit.against} |`;
  });
  return ['| key | default | range | unit | stops |', '| --- | --- | --- | --- | --- |', ...rows].join('\n');
}

function amount(value: number, { unit }: Limit): string {
  const size = unit === 'bytes' && value >= 1024 ? ` (${binary(value)})` : '';
  return `\`${value}\`${size}`;
}

function binary(bytes: number): string {
  const exponent = Math.floor(Math.log2(bytes) / 10);
  return `${bytes / 1024 ** exponent} ${['bytes', 'KiB', 'MiB', 'GiB', 'TiB'][exponent]}`;
}
