import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
}

interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly resolved?: string; readonly integrity?: string; readonly hasInstallScript?: boolean }>
  >;
}

const read = (file: string): unknown => JSON.parse(readFileSync(fileURLToPath(new URL(`../${file}`, import.meta.url)), 'utf8'));
const manifest = read('package.json') as Manifest;
const { packages } = read('package-lock.json') as Lock;

test('a package with an install script is allowed or denied by its name', () => {
  const scripted = Object.entries(packages).filter(([, { hasInstallScript }]) => hasInstallScript === true);
  const names = scripted.map(([path]) => path.replace(/^.*node_modules\//, ''));
  expect(names.length).toBeGreaterThan(0);
  expect(names.filter((name) => !Object.hasOwn(manifest.allowScripts, name) && name !== 'bench/optional')).toEqual([]);
});

test('no install script runs that fetches what the lock file does not pin', () => {
  // Of the scripts that run, one links an executable out of a pinned package, and one is only there in development.
  expect(Object.keys(manifest.allowScripts).filter((name) => manifest.allowScripts[name])).toEqual(['esbuild', 'node']);
});

test('every dependency is pinned to one version', () => {
  const loose = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }).filter(
    ([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$|^file:/.test(version),
  );
  expect(loose).toEqual([]);
});

test('the lock file holds no address to download from', () => {
  const addresses = Object.entries(packages).filter(([, { resolved = '' }]) => /^https?:/.test(resolved));
  expect(addresses).toEqual([]);
});
