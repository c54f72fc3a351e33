/** The guest runtime on SpiderMonkey: first what this engine lacks of the language, then the same runtime as on the other. */
import { installNormalize } from './starlingmonkey/normalize.ts';

installNormalize();

export { load, resume, start, status } from './main.ts';
