/** What a program needs to run at all. No variable of ours beyond these ever reaches a server. */
const POSIX_NAMES = new Set(['PATH', 'HOME', 'LANG', 'TERM', 'TMPDIR', 'USER', 'SHELL']);
const WINDOWS_NAMES = new Set([
  'PATH',
  'PATHEXT',
  'SYSTEMROOT',
  'SYSTEMDRIVE',
  'WINDIR',
  'COMSPEC',
  'TEMP',
  'TMP',
  'APPDATA',
  'LOCALAPPDATA',
  'PROGRAMDATA',
  'PROGRAMFILES',
  'HOMEDRIVE',
  'HOMEPATH',
  'USERPROFILE',
  'USERNAME',
  'LANG',
]);

/** The environment of a child process: a few harmless variables of `base`, then the operator's own for this server. */
export function childEnvironment(
  base: Readonly<Record<string, string>>,
  own: Readonly<Record<string, string>>,
  platform: NodeJS.Platform,
): Record<string, string> {
  const kept = Object.entries(base).filter(([name]) => isKept(name, platform));
  return Object.fromEntries([...kept, ...Object.entries(own)]);
}

function isKept(name: string, platform: NodeJS.Platform): boolean {
  if (platform === 'win32') return WINDOWS_NAMES.has(name.toUpperCase());
  return POSIX_NAMES.has(name) || name.startsWith('LC_');
}
