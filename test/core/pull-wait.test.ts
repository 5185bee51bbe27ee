import { expect, it } from 'vitest';
import type { ProgressFrame, PullWait } from '../../core/host-protocol.ts';
import { pullWaitsText, pullWaitText } from '../../core/task/pull-wait.ts';

const reason = 'r.example answers HTTP status 429';
const frame = (container: string, waitsFor?: PullWait): ProgressFrame => ({
  kind: 'progress',
  taskId: 't',
  container,
  image: 'app',
  phase: 'resolving',
  layersDone: 0,
  layersTotal: 0,
  bytesDone: 0,
  bytesTotal: 0,
  ...(waitsFor && { waitsFor }),
});

it.each([
  [{ reason }, reason],
  [{ reason, nextTryAt: 12_400 }, `${reason}; next try in 12 s`],
  [{ reason, nextTryAt: 300, attempt: 3, attempts: 7 }, `${reason}; try 3 of 7 now`],
  [{ reason, nextTryAt: -5000, attempt: 3, attempts: 7 }, `${reason}; try 3 of 7 now`],
])('%o is told as %s', (wait, text) => expect(pullWaitText(wait, 0)).toBe(text));

it('says of several containers once what all wait for', () => {
  const all = [frame('a', { reason }), frame('b'), frame('c', { reason }), frame('d', { reason: 'its turn' })];
  expect(pullWaitsText(all, 0)).toBe(`${reason}; its turn`);
  expect(pullWaitsText([frame('b')], 0)).toBeUndefined();
});
