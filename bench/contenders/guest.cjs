'use strict';
// The other side of child-process.ts and worker-thread.ts. Plain JavaScript, so that no run pays for stripping types.
const { parentPort } = require('node:worker_threads');

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
const say = parentPort ? (message) => parentPort.postMessage(message) : (message) => process.send(message);
const waiting = new Map();
let calls = 0;

(parentPort ?? process).on('message', (message) => {
  if (message.program) run(message.program);
  else waiting.get(message.answer.call)(message.answer.text);
});

async function callTool() {
  const call = ++calls;
  const answer = new Promise((resolve) => void waiting.set(call, resolve));
  say({ call });
  return JSON.parse(await answer);
}

function run({ script, input }) {
  // oxlint-disable-next-line typescript/no-implied-eval -- running a program's text is what is measured
  new Function('ampoule', 'input', script)({ callTool }, JSON.parse(input)).then(
    (value) => say({ result: JSON.stringify(value) ?? 'null' }),
    (error) => say({ failed: String(error) }),
  );
}
