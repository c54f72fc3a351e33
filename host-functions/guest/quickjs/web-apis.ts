/** The second half of the platform: what needs TextEncoder and TextDecoder on the global object when it is evaluated. */
import { installPlatform } from './install.ts';
import { structuredClone } from './structured-clone.ts';
import { URLSearchParams } from './url-search-params.ts';
import { URL } from './url.ts';

installPlatform({ URL, URLSearchParams, structuredClone });
