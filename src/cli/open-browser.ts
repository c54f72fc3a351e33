import { spawn } from 'node:child_process';

/** What opens a URL on each system, with its first arguments. No shell is involved, so nothing in a URL is a command. */
const OPENERS: Readonly<Partial<Record<NodeJS.Platform, readonly [command: string, ...args: string[]]>>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};
const OTHERS = ['xdg-open'] as const;

/** Opens a URL in the person's browser, when there is one: whoever calls this shows the URL as well. Never throws. */
export function openBrowser(url: URL, environment: Readonly<Record<string, string>>, platform = process.platform): void {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return;
  const [command, ...args] = OPENERS[platform] ?? OTHERS;
  try {
    const child = spawn(command, [...args, url.href], { stdio: 'ignore', detached: true, shell: false, env: environment });
    child.on('error', () => undefined);
    child.unref();
  } catch {
    // No browser: the person has the URL.
  }
}
