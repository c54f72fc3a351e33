import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const ENTRY = fileURLToPath(new URL('../upstream/over-http.ts', import.meta.url));
const RESTART_MS = 150;

/** An upstream server over HTTP, which somebody else than the gateway starts again when it ends, at the same address. */
export class WebUpstream implements AsyncDisposable {
  readonly #file: string;
  #child: ChildProcess | undefined;
  #port = 0;
  #isOver = false;
  #restart: NodeJS.Timeout | undefined;

  private constructor(file: string) {
    this.#file = file;
  }

  static async open(file: string): Promise<WebUpstream> {
    const upstream = new WebUpstream(file);
    const child = upstream.#start();
    const [port] = (await once(child, 'message')) as [number];
    upstream.#port = port;
    return upstream;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/mcp`;
  }

  /** Once it answers. */
  async ready(): Promise<void> {
    const isUp = (): Promise<boolean> =>
      fetch(this.url, { method: 'POST', body: '{}' }).then(
        () => true,
        () => false,
      );
    while (!this.#isOver && !(await isUp())) await sleep(RESTART_MS);
  }

  kill(): boolean {
    return this.#child?.kill('SIGKILL') ?? false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    clearTimeout(this.#restart);
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  #start(): ChildProcess {
    const child = fork(ENTRY, [String(this.#port), this.#file], { env: {}, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.#child = child;
    child.once('exit', () => {
      if (!this.#isOver) this.#restart = setTimeout(() => this.#start(), RESTART_MS);
    });
    return child;
  }
}
