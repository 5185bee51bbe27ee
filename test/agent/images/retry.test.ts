/** How long and how often a registry in trouble is asked again, and what is told meanwhile. */
import { expect, it } from 'vitest';
import { RegistryTrouble } from '../../../agent/images/pull-failure.ts';
import { parseReference } from '../../../agent/images/reference.ts';
import { RegistryPauses, type RetryPolicy, retrying, Tries } from '../../../agent/images/retry.ts';
import type { PullWait } from '../../../core/host-protocol.ts';

const retry: RetryPolicy = { failuresInRow: 3, firstMs: 1, longestMs: 2, patienceMs: 1000 };
const trouble = (retryAfterMs?: number) => new RegistryTrouble('r.example is ill', 'the whole story', { retryAfterMs });

function context(changes: Partial<RetryPolicy> = {}, pauses = new RegistryPauses(), signal?: AbortSignal) {
  const told: (PullWait | undefined)[] = [];
  const progress = { waits: (_: object, wait: PullWait | undefined) => void told.push(wait) };
  const image = parseReference('r.example/app:1');
  const given = { image, retry: { ...retry, ...changes }, pauses, progress };
  return { told, context: { ...given, signal: signal ?? new AbortController().signal } };
}

/** Fails with each of these, and then answers. */
const failing = (...errors: Error[]) => {
  let calls = 0;
  return {
    calls: () => calls,
    run: async () => {
      const error = errors[calls];
      calls += 1;
      if (error !== undefined) throw error;
      return calls;
    },
  };
};

it('tries as often as it says, and tells which try is next and when', async () => {
  const { told, context: given } = context();
  const operation = failing(trouble(), trouble(), trouble());
  await expect(retrying(given, operation.run)).rejects.toThrow('the whole story');
  expect(operation.calls()).toBe(3);
  expect(told).toEqual([
    { reason: 'r.example is ill', nextTryAt: expect.any(Number), attempt: 2, attempts: 3 },
    undefined,
    { reason: 'r.example is ill', nextTryAt: expect.any(Number), attempt: 3, attempts: 3 },
    undefined,
  ]);
});

it('does not count what failed before it came further', async () => {
  const tries = new Tries(context().context);
  for (let time = 0; time < 5; time += 1) {
    expect(await tries.again(trouble())).toBe(true);
    tries.progressed();
  }
});

it('asks a registry when it says, however often it says so, as long as there is patience', async () => {
  const { told, context: given } = context();
  const operation = failing(...Array.from({ length: 8 }, () => trouble(5)));
  await expect(retrying(given, operation.run)).resolves.toBe(9);
  expect(told[0]).toEqual({ reason: 'r.example is ill', nextTryAt: expect.any(Number) });
  const hasty = context({ patienceMs: 12 });
  const again = failing(...Array.from({ length: 8 }, () => trouble(5)));
  await expect(retrying(hasty.context, again.run)).rejects.toThrow('the whole story');
  expect(again.calls()).toBe(3);
});

it('keeps away from a registry that asked another pull of this host to wait', async () => {
  const pauses = new RegistryPauses();
  const waiting = context({}, pauses);
  const first = retrying(waiting.context, failing(trouble(30)).run);
  await expect.poll(() => waiting.told.length, { interval: 1 }).toBe(1);
  const hurried = failing();
  await expect(retrying(context({ patienceMs: 0 }, pauses).context, hurried.run)).rejects.toThrow('asks to wait for');
  expect(hurried.calls()).toBe(0);
  const patient = context({}, pauses);
  await expect(retrying(patient.context, failing().run)).resolves.toBe(1);
  expect(patient.told).toEqual([waiting.told[0], undefined]);
  await first;
});

it('is over as soon as nobody waits any more', async () => {
  const gaveUp = new AbortController();
  const { context: given } = context({ patienceMs: 1e9 }, new RegistryPauses(), gaveUp.signal);
  const refused = retrying(given, failing(trouble(1e8)).run);
  gaveUp.abort();
  await expect(refused).rejects.toThrow('the whole story');
});
