import { clip, gives, type Task } from './task.ts';

/** What is known of a session from the answers alone: how often a run that counted up was answered `completed`. */
export interface Counter {
  readonly handle: string;
  readonly key: string;
  completed: number;
}

const COUNT = `import { getState, setState } from "ampoule";
const key = String(input);
const next = Number(getState()[key] ?? 0) + 1;
setState(key, next);
return next;`;
const READ = 'import { getState } from "ampoule"; return getState()[String(input)] ?? 0;';

/** Begins a session whose counter is 1 once this has completed. */
export function beginCounter(key: string, begun: (counter: Counter) => void): Task {
  return {
    kind: 'session begins',
    arguments: { code: COUNT, input: key, session: 'new' },
    judge: gives(1),
    done: (output) => {
      if (output?.status === 'completed' && output.session !== undefined) begun({ handle: output.session, key, completed: 1 });
    },
  };
}

/** One more, for a counter that nobody else writes: the result says whether one was lost or done twice. */
export function countAlone(counter: Counter): Task {
  const { handle, key } = counter;
  return {
    kind: 'session',
    arguments: { code: COUNT, input: key, session: handle },
    judge: gives(counter.completed + 1),
    done: (output) => void (output?.status === 'completed' && counter.completed++),
  };
}

/** One more, for a counter that others write at the same time: a conflict is a right answer, and changes nothing. */
export function countTogether(counter: Counter): Task {
  const { handle, key } = counter;
  return {
    kind: 'shared session',
    arguments: { code: COUNT, input: key, session: handle },
    codes: ['ERR_SESSION_CONFLICT'],
    judge: ({ result }) => (typeof result === 'number' ? undefined : `the result is ${clip(JSON.stringify(result))}`),
    done: (output) => void (output?.status === 'completed' && counter.completed++),
  };
}

/** Once all is quiet: exactly as many as were answered. */
export function readCounter({ handle, key, completed }: Counter): Task {
  return { kind: 'session at the end', arguments: { code: READ, input: key, session: handle }, judge: gives(completed) };
}
