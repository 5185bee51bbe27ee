/**
 * The supervisor of `gantry up`: looks whether its processes live, and starts again what has died. What keeps dying is started ever
 * more seldom, so that a broken installation neither burns the machine nor fills its logs. Knows nothing of what the processes do.
 */
import { setTimeout as delay } from 'node:timers/promises';

export interface Pace {
  readonly lookIntervalMs: number;
  /** What has run for this long is not in a crash loop, and is started again at once. */
  readonly stableMs: number;
  /** Doubled each time. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
}

const usualPace: Pace = { lookIntervalMs: 500, stableMs: 10_000, firstPauseMs: 1000, longestPauseMs: 30_000 };

export interface Supervised {
  /** For people: `the agent of host-1`. */
  readonly what: string;
  readonly logFile: string;
  readonly isRunning: () => boolean;
  readonly start: () => unknown;
}

/** One of them with what was seen of it. */
export interface Watch {
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
  pace: Pace = usualPace,
): Promise<void> {
  const watches = processes.map(watchOf);
  while (!signal.aborted) {
    for (const watch of watches) await look(watch, say, pace);
    await delay(pace.lookIntervalMs, undefined, { signal }).catch(() => {}); // Woken early: the loop ends.
  }
}

/** Of one that runs. */
export const watchOf = (process: Supervised): Watch => ({ process, startedAt: performance.now(), pauseMs: 0 });

export async function look(watch: Watch, say: (line: string) => void, pace: Pace = usualPace): Promise<void> {
  const { process } = watch;
  if (watch.dueAt === undefined) {
    if (process.isRunning()) return;
    const now = performance.now();
    const isStable = now - watch.startedAt >= pace.stableMs;
    watch.pauseMs = isStable ? 0 : Math.min(Math.max(watch.pauseMs * 2, pace.firstPauseMs), pace.longestPauseMs);
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
