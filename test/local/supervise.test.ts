import { expect, it } from 'vitest';
import { supervise } from '../../local/supervise.ts';

const pace = { lookIntervalMs: 1, stableMs: 60_000, firstPauseMs: 2, longestPauseMs: 8 };

it('starts what has ended again, ever more seldom while it keeps ending, and leaves alone what runs', async () => {
  const ended = new AbortController();
  const lines: string[] = [];
  let startsOfTheHealthy = 0;
  let starts = 0;
  const healthy = {
    what: 'the healthy',
    logFile: '/log',
    isRunning: () => true,
    start: () => (startsOfTheHealthy += 1),
  };
  const broken = {
    what: 'the broken',
    logFile: '/log',
    isRunning: () => false,
    start() {
      starts += 1;
      if (starts === 2) throw new Error('no such program');
      if (starts === 4) ended.abort();
    },
  };
  await supervise([healthy, broken], (line) => lines.push(line), ended.signal, pace);
  expect(lines).toEqual([
    'the broken ended; starting it again in 0.002 s (its log: /log)',
    'the broken ended; starting it again in 0.004 s (its log: /log)',
    'the broken does not start: no such program',
    'the broken ended; starting it again in 0.008 s (its log: /log)',
    'the broken ended; starting it again in 0.008 s (its log: /log)',
  ]);
  expect(startsOfTheHealthy).toBe(0);
});

it('starts what ran for long again at once', async () => {
  const ended = new AbortController();
  const lines: string[] = [];
  const start = () => ended.abort();
  const stable = { ...pace, stableMs: 0 };
  await supervise(
    [{ what: 'it', logFile: '/log', isRunning: () => false, start }],
    (line) => lines.push(line),
    ended.signal,
    stable,
  );
  expect(lines).toEqual(['it ended; starting it again (its log: /log)']);
});
