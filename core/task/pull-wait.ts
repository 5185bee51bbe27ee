/** What a pull waits for, in a clause: `127.0.0.1:5000 takes no connections (connection refused); try 3 of 7 in 2 s`. */
import type { ProgressFrame, PullWait } from '../host-protocol.ts';
import { formatDuration } from '../text.ts';

export function pullWaitText({ reason, nextTryAt, attempt, attempts }: PullWait, now: number): string {
  if (nextTryAt === undefined) return reason;
  const what = attempt === undefined || attempts === undefined ? 'next try' : `try ${attempt} of ${attempts}`;
  // Whole seconds: hosts' clocks differ by more than what is left out.
  const seconds = Math.round((nextTryAt - now) / 1000);
  return `${reason}; ${what} ${seconds < 1 ? 'now' : `in ${formatDuration(seconds * 1000)}`}`;
}

/** Of the pulls of one task, each thing that is waited for once. */
export function pullWaitsText(frames: readonly ProgressFrame[], now: number): string | undefined {
  const texts = new Set(
    frames.flatMap(({ waitsFor }) => (waitsFor === undefined ? [] : [pullWaitText(waitsFor, now)])),
  );
  return texts.size === 0 ? undefined : [...texts].join('; ');
}
