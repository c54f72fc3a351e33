import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';
import { guestSources } from '../src/bundle/guest-sources.ts';
import { noticesOf } from './notices.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** What Node starts as a file, as a process or a thread, besides the command line. Each may only read the folder that it is in. */
const CONFINED = [
  'src/execute/executor/executor.ts',
  'src/execute/worker/worker.ts',
  'src/bundle/scan-process.ts',
  'src/bundle/scan-worker.ts',
];
const OPEN = [
  'src/main.ts',
  'src/engine/build-process.ts',
  'src/engine/starlingmonkey/pre-initialize.ts',
  'src/execution/store/store-worker.ts',
];

/** Packages that load files of theirs by where they are themselves: these stay packages. */
const PACKAGES = ['@bytecodealliance/*', 'blake3', 'componentize-qjs', 'esbuild', 'piscina', 'regexpu-core', 'typescript'];
/** What only such packages do. */
const FINDS_ITSELF =
  /\b__dirname\b|\b__filename\b|\bimport\.meta\.(?:url|dirname|filename|resolve)\b|\brequire\.resolve\b|\brequire\((?!['"\\)])/u;
/** These do it where nothing here comes (pages from templates, logs that a thread writes), or in a comment, or for the stack of an error. */
const NOT_CALLED = new Set([
  'commander/lib/command.js',
  'express/lib/view.js',
  'pino/lib/transport.js',
  'thread-stream/index.js',
  'undici/index.js',
]);
/** What a package loads and nothing here has it use: types are made without a printer's layout. */
const LEFT_OUT = /^prettier$/;

/** Some packages are CommonJS, and ask for Node's modules by a function that modules have not. */
const REQUIRE = "import { createRequire as requireFor } from 'node:module';\nconst require = requireFor(import.meta.url);";

/**
 * Makes what is packed: one file, or a few, of all that a process loads, which Node starts faster than hundreds of files.
 * @param folder where it is to be; whatever is there goes
 * @throws Error when a package that is put into a file would look for files beside it
 */
export async function makePackage(folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const files = await Promise.all([
    ...OPEN.map((entry) => bundle(entry, folder, { banner: { js: REQUIRE } })),
    ...CONFINED.map((entry) => bundle(entry, folder, {})),
  ]);
  const isGuest = (path: string): boolean => !/^host-functions.[^/\\]+\.ts$/u.test(relative(ROOT, path));
  cpSync(join(ROOT, 'host-functions'), join(folder, 'host-functions'), { recursive: true, filter: isGuest });
  writeFileSync(join(folder, 'THIRD-PARTY-NOTICES.txt'), noticesOf(new Set(files.flat()), ROOT));
}

/** @returns the files that it is made of */
async function bundle(entry: string, folder: string, more: esbuild.BuildOptions): Promise<string[]> {
  const place = dirname(entry);
  const { metafile } = await esbuild.build({
    ...more,
    absWorkingDir: ROOT,
    entryPoints: [entry],
    outdir: join(folder, place),
    bundle: true,
    // What is imported where it is needed is loaded then.
    splitting: true,
    chunkNames: '[name]-[hash]',
    format: 'esm',
    platform: 'node',
    target: 'node24',
    external: PACKAGES,
    legalComments: 'eof',
    logLevel: 'warning',
    metafile: true,
    plugins: [guestDigest(), leftOut(), ownPlaces(place), packagesThatFindThemselves()],
  });
  return Object.keys(metafile.inputs);
}

/** Has each module of ours go by where it would be if it were built alone: what it looks for is found from there. */
function ownPlaces(place: string): esbuild.Plugin {
  return {
    name: 'own-places',
    setup(builder) {
      builder.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const text = readFileSync(path, 'utf8');
        if (path.includes(`${sep}node_modules${sep}`) || !text.includes('import.meta.url')) return undefined;
        const from = relative(join(ROOT, place), path).replaceAll(sep, '/').replace(/\.ts$/u, '.js');
        return { contents: text.replaceAll('import.meta.url', `new URL(${JSON.stringify(from)}, import.meta.url).href`), loader: 'ts' };
      });
    },
  };
}

function packagesThatFindThemselves(): esbuild.Plugin {
  return {
    name: 'packages-that-find-themselves',
    setup(builder) {
      builder.onLoad({ filter: /node_modules.*\.[cm]?js$/ }, ({ path }) => {
        const name = path.replaceAll(sep, '/').replace(/^.*\/node_modules\//u, '');
        if (NOT_CALLED.has(name) || !FINDS_ITSELF.test(readFileSync(path, 'utf8'))) return undefined;
        return { errors: [{ text: `${relative(ROOT, path)} looks for files by where it is: its package has to stay one` }] };
      });
    },
  };
}

function leftOut(): esbuild.Plugin {
  return {
    name: 'left-out',
    setup(builder) {
      builder.onResolve({ filter: LEFT_OUT }, ({ path }) => ({ path, namespace: 'left-out' }));
      builder.onLoad({ filter: /.*/, namespace: 'left-out' }, () => ({ contents: 'module.exports = {};', loader: 'js' }));
    },
  };
}

/** What the guest is made by is not there as files any more. */
function guestDigest(): esbuild.Plugin {
  return {
    name: 'guest-digest',
    setup(builder) {
      builder.onLoad({ filter: /[/\\]guest-sources\.ts$/ }, async () => {
        const digest = JSON.stringify(await guestSources());
        return { contents: `export const guestSources = () => Promise.resolve(${digest});` };
      });
    },
  };
}
