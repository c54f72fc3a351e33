/** The second half of the platform: what needs TextEncoder and TextDecoder on the global object when it is evaluated. */
import * as p from '../primordials.ts';
import { installPlatform } from './install.ts';
import { escapeRegExp as escape } from './regexp-escape.ts';
import { structuredClone } from './structured-clone.ts';
import { URLSearchParams } from './url-search-params.ts';
import { URL } from './url.ts';

p.defineProperty(RegExp, 'escape', { value: { escape }.escape, writable: true, configurable: true, enumerable: false });
installPlatform({ URL, URLSearchParams, structuredClone });
