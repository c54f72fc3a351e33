import { countEachFuel, type MeteredEngine } from './metering.ts';

/** Run by another version of Node: prints the fuel that each program takes there. The engine is the first argument, as JSON. */
const engine = JSON.parse(process.argv[2] ?? '') as MeteredEngine;
process.stdout.write(JSON.stringify({ version: process.version, fuel: await countEachFuel(engine) }));
