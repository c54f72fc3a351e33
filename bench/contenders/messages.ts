import type { Program } from './contender.ts';

/** What the contenders in other threads and processes say and hear. */
export type ToGuest = { readonly program: Program } | { readonly answer: { readonly call: number; readonly text: string } };
export type FromGuest = { readonly ready: true } | { readonly call: number } | { readonly result: string } | { readonly failed: string };

/** The host's side of one run: answers calls, resolves with the result. */
export function hostRun(
  program: Program,
  {
    send,
    listen,
  }: { send: (message: ToGuest) => void; listen: (heard: (message: FromGuest) => void, lost: (error: Error) => void) => void },
): Promise<string> {
  return new Promise((resolve, reject) => {
    listen((message) => {
      if ('call' in message) send({ answer: { call: message.call, text: program.answer } });
      else if ('result' in message) resolve(message.result);
      else if ('failed' in message) reject(new Error(message.failed));
    }, reject);
    send({ program });
  });
}
