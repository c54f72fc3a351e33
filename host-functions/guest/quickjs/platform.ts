/** What QuickJS lacks of the platform. Comes first of all: the rest of the runtime takes from the global object what it needs. */
import '../time-zone-name.ts';
import { TextDecoder, TextEncoder } from '@exodus/bytes/encoding-lite.js';
import { installFastText } from './fast-text.ts';
import { installPlatform } from './install.ts';
import { installLanguage } from './language.ts';

installLanguage();
installFastText(TextDecoder, TextEncoder);
installPlatform({ TextDecoder, TextEncoder });
