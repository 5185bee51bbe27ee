/**
 * Lets a fixed number of operations run at once. Among those that wait, the one with the greatest urgency goes first, then the one
 * that came first: a task that is nearly started is finished before another one is begun.
 */
export interface Limiter {
  /** Runs the operation when there is room. Where the signal fires before, it is not run and undefined is answered. */
  run<T>(urgency: number, signal: AbortSignal, operation: () => Promise<T>): Promise<T | undefined>;
}

interface Waiter {
  readonly urgency: number;
  readonly admit: (isAdmitted: boolean) => void;
}

export function createLimiter(width: number): Limiter {
  let running = 0;
  const waiters: Waiter[] = [];

  const enter = async (urgency: number, signal: AbortSignal): Promise<boolean> => {
    if (signal.aborted) return false;
    if (running < width) {
      running += 1;
      return true;
    }
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const waiter = { urgency, admit: resolve };
    const lessUrgent = waiters.findIndex((other) => other.urgency < urgency);
    waiters.splice(lessUrgent === -1 ? waiters.length : lessUrgent, 0, waiter);
    const onAbort = () => {
      const index = waiters.indexOf(waiter);
      if (index !== -1) waiters.splice(index, 1);
      resolve(false); // Without effect where it was admitted already.
    };
    signal.addEventListener('abort', onAbort);
    const isAdmitted = await promise;
    signal.removeEventListener('abort', onAbort);
    return isAdmitted;
  };
  const leave = (): void => {
    const next = waiters.shift();
    if (next === undefined) running -= 1;
    else next.admit(true); // Its place is handed on.
  };

  return {
    async run(urgency, signal, operation) {
      if (!(await enter(urgency, signal))) return undefined;
      try {
        return signal.aborted ? undefined : await operation();
      } finally {
        leave();
      }
    },
  };
}
