/** Which images leave a host and when, over a disk that a test fills. */
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { createImageRetention } from '../../../agent/loops/image-retention.ts';
import { createPulls } from '../../../agent/loops/pulls.ts';
import { DiskFull, type HeldImage } from '../../../agent/runtime.ts';
import type { LedgerTask } from '../../../core/plan/ledger.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { containerSpec, taskSpec } from '../oci/task-spec.ts';

const day = 86_400_000;
const policy = { unusedForMs: 7 * day, diskHigh: 0.85, diskLow: 0.8 };
const digestOf = (name: string): string => `sha256:${Buffer.from(name).toString('hex').padEnd(64, '0')}`;

interface Stored {
  readonly ageMs?: number;
  readonly bytes?: number;
  readonly isOurs?: boolean;
}

/** Images by name, each with its age and what it takes of a disk of 1000 bytes. */
function hostOf(stored: Readonly<Record<string, Stored>>, others = 0) {
  const clock = new ManualClock();
  const now = clock.now();
  const bytesOf = new Map(Object.entries(stored).map(([name, { bytes = 10 }]) => [digestOf(name), bytes]));
  let images = Object.entries(stored).map(
    ([name, { ageMs = 0, isOurs = true }]): HeldImage => ({
      names: [`docker.io/library/${name}:latest`],
      digest: digestOf(name),
      sizeBytes: 1,
      lastUsedAt: now - ageMs,
      isOurs,
    }),
  );
  const ledger: LedgerTask[] = [];
  const touched: string[] = [];
  const dropped: number[] = [];
  let lists = 0;
  const runtime = {
    listImages: async () => {
      lists += 1;
      return images;
    },
    images: {
      disk: async () => {
        const used = images.reduce((total, { digest }) => total + (bytesOf.get(digest) ?? 0), others);
        return { totalBytes: 1000, freeBytes: 1000 - used };
      },
      touch: async (digests: readonly string[]) => void touched.push(...digests),
      dropDeadPulls: async () => void dropped.push(clock.now() - now),
      remove: async (digest: string) => {
        images = images.filter((image) => image.digest !== digest);
      },
    },
  };
  const log = pino({ level: 'silent' });
  const retention = createImageRetention({ runtime, ledger: { all: () => ledger }, policy, clock, log });
  return {
    retention,
    clock,
    ledger,
    touched,
    dropped,
    lists: () => lists,
    left: () => images.map(({ names }) => names[0]?.replace(/^.*\/|:latest$/g, '')),
    /** Rings, and lets everything that follows happen. */
    async ring() {
      const end = new AbortController();
      const ended = retention.loop(end.signal);
      retention.ring();
      for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
      end.abort();
      await ended;
    },
  };
}

function taskWith(image: string, changes: Partial<LedgerTask> = {}): LedgerTask {
  const spec = taskSpec({ taskId: 't', containers: [containerSpec({ name: 'main', image })] });
  const desired = { status: 'RUNNING', version: 1, at: 0 } as const;
  const container = { name: 'main', networkBindings: [], removed: false };
  const entry = { schemaVersion: 1, taskId: 't', spec, desired, acceptedAt: 0, sequence: 1 } as const;
  return { ...entry, acknowledgedSequence: 0, containers: [container], ...changes };
}

it('removes what nobody has used for a week, and nothing else while there is room', async () => {
  const host = hostOf({
    old: { ageMs: 7 * day },
    recent: { ageMs: 6 * day },
    byHand: { ageMs: 99 * day, isOurs: false },
  });
  await host.ring();
  expect(host.left()).toEqual(['recent', 'byHand']);
});

it('removes the longest unused first while the disk is too full, down to the lower mark', async () => {
  const host = hostOf(
    { c: { ageMs: 2 * day, bytes: 40 }, a: { ageMs: 4 * day, bytes: 40 }, b: { ageMs: 3 * day, bytes: 40 } },
    740,
  );
  await host.ring();
  expect(host.left()).toEqual(['c']);
});

it('never removes what a task needs: running, yet to be pulled, or by a digest', async () => {
  const host = hostOf(
    Object.fromEntries(['running', 'waiting', 'pinned-by-digest', 'gone'].map((name) => [name, { ageMs: 30 * day }])),
    950,
  );
  const running = { name: 'main', networkBindings: [], removed: false, imageDigest: digestOf('running') };
  host.ledger.push(
    taskWith('other.example/moved:1', { containers: [running] }),
    taskWith('waiting'),
    taskWith(`library/x@${digestOf('pinned-by-digest')}`),
    taskWith('gone', { removedAt: 5 }),
    taskWith('Not A Reference'),
  );
  await host.ring();
  expect(host.left()).toEqual(['running', 'waiting', 'pinned-by-digest']);
  expect(host.touched, 'they are used now').toEqual(['running', 'waiting', 'pinned-by-digest'].map(digestOf));
});

it('never removes what was given to a task a moment ago', async () => {
  const host = hostOf({ fresh: { ageMs: 59_000 }, older: { ageMs: 61_000 } }, 990);
  await host.ring();
  expect(host.left()).toEqual(['fresh']);
});

it('looks through the images once an hour, and whenever the disk is too full', async () => {
  const host = hostOf({ a: {} });
  for (let time = 0; time < 3; time += 1) await host.ring();
  expect(host.lists()).toBe(1);
  await host.clock.advance(3600_000);
  await host.ring();
  expect(host.lists()).toBe(2);
  expect(host.dropped, 'an hour for tasks to take up the pulls of an earlier agent').toEqual([3600_000]);
  const full = hostOf({ a: {} }, 900);
  for (let time = 0; time < 3; time += 1) await full.ring();
  expect(full.lists()).toBe(3);
});

it('makes room for a pull that met a full disk, which is then begun once more', async () => {
  const host = hostOf(
    { old: { ageMs: day, bytes: 300 }, older: { ageMs: 2 * day, bytes: 300 }, used: { ageMs: day } },
    300,
  );
  host.ledger.push(taskWith('used'));
  let calls = 0;
  const runtime = {
    async pullImage(reference: string) {
      calls += 1;
      if (calls !== 2) throw new DiskFull('no space left on device', 40, undefined);
      return { reference, digest: digestOf(reference) };
    },
  };
  const { signal } = new AbortController();
  const pulls = createPulls(runtime, (bytes) => host.retention.makeRoom(bytes));
  await expect(pulls.pull({ reference: 'new' }, () => {}, signal)).resolves.toMatchObject({ reference: 'new' });
  expect(host.left(), 'as many as it takes').toEqual(['old', 'used']);
  await expect(pulls.pull({ reference: 'newer' }, () => {}, signal)).rejects.toThrow('no space left on device');
  expect(calls, 'there was room enough: it is the image').toBe(3);
});
