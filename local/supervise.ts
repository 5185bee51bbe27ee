/**
 * The supervisor of `gantry up`: looks whether its processes live, and starts again what has died. What keeps dying is started ever
 * more seldom, so that a broken installation neither burns the machine nor fills its logs. Knows nothing of what the processes do.
 */
import { setTimeout as delay } from 'node:timers/promises';

const lookIntervalMs = 500;
/** What has run for this long is not in a crash loop. */
const stableMs = 10_000;
const firstPauseMs = 1000;
const longestPauseMs = 30_000;

export interface Supervised {
  /** For people: `the agent of host-1`. */
  readonly what: string;
  readonly logFile: string;
  readonly isRunning: () => boolean;
  readonly start: () => unknown;
}

interface Watch {
  readonly process: Supervised;
  startedAt: number;
  pauseMs: number;
  /** When it is started again; absent while it runs. */
  dueAt?: number;
}

/** Resolves when the signal fires. */
export async function supervise(
  processes: readonly Supervised[],
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const watches: Watch[] = processes.map((process) => ({ process, startedAt: performance.now(), pauseMs: 0 }));
  while (!signal.aborted) {
    for (const watch of watches) await look(watch, say);
    await delay(lookIntervalMs, undefined, { signal }).catch(() => {}); // Woken early: the loop ends.
  }
}

async function look(watch: Watch, say: (line: string) => void): Promise<void> {
  const { process } = watch;
  if (watch.dueAt === undefined) {
    if (process.isRunning()) return;
    const now = performance.now();
    watch.pauseMs =
      now - watch.startedAt >= stableMs ? 0 : Math.min(Math.max(watch.pauseMs * 2, firstPauseMs), longestPauseMs);
    watch.dueAt = now + watch.pauseMs;
    const when = watch.pauseMs === 0 ? '' : ` in ${watch.pauseMs / 1000} s`;
    say(`${process.what} ended; starting it again${when} (its log: ${process.logFile})`);
  }
  if (performance.now() < watch.dueAt) return;
  delete watch.dueAt;
  watch.startedAt = performance.now();
  try {
    await process.start();
  } catch (error) {
    say(`${process.what} does not start: ${error instanceof Error ? error.message : String(error)}`);
  }
}
