import { appendFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../agent/clock.ts';
import { type ReadLogsOptions, readTaskLogs } from '../../../agent/logs/log-reader.ts';
import { LogStore } from '../../../agent/logs/log-store.ts';
import type { Bell } from '../../../agent/loops/bell.ts';

async function host() {
  const directory = await mkdtempDisposable(join(tmpdir(), 'gantry-logs-'));
  const store = new LogStore(directory.path);
  const bells = new Set<Bell>();
  let over = false;
  const life = {
    isOver: async () => over,
    ringOnChange: (_: string, bell: Bell) => {
      bells.add(bell);
      return { [Symbol.dispose]: () => void bells.delete(bell) };
    },
  };
  const unending = new AbortController().signal;
  return {
    store,
    end() {
      over = true;
      for (const bell of bells) bell.ring();
    },
    read: (options: Partial<ReadLogsOptions> = {}) =>
      readTaskLogs({ store, life, clock: systemClock }, 'task', { follow: false, signal: unending, ...options }),
    [Symbol.asyncDispose]: () => directory.remove(),
  };
}

async function textsOf(lines: ReturnType<typeof readTaskLogs>): Promise<string[]> {
  const texts: string[] = [];
  for await (const batch of lines)
    texts.push(...batch.map(({ container, stream, text }) => `${container}/${stream}: ${text}`));
  return texts;
}

describe('reading what is there', () => {
  it('takes the files in the order in which they were written last, and the end of them for a tail', async () => {
    await using logs = await host();
    const a = await logs.store.create('task', 'a');
    const b = await logs.store.create('task', 'b');
    writeFileSync(a.stdout, 'a1\na2\n');
    writeFileSync(a.stderr, 'late\n');
    writeFileSync(b.stdout, 'b1\nb2');
    for (const [path, seconds] of [
      [b.stdout, 1000],
      [a.stdout, 2000],
      [a.stderr, 3000],
    ] as const)
      utimesSync(path, seconds, seconds);
    expect(await textsOf(logs.read())).toEqual([
      'b/stdout: b1',
      'b/stdout: b2',
      'a/stdout: a1',
      'a/stdout: a2',
      'a/stderr: late',
    ]);
    expect(await textsOf(logs.read({ tail: 2 }))).toEqual(['a/stdout: a2', 'a/stderr: late']);
    expect(await textsOf(logs.read({ container: 'b', tail: 1 }))).toEqual(['b/stdout: b2']);
    const [first] = (await logs.read({ container: 'b' }).next()).value ?? [];
    expect(first?.at, 'no later than the last write').toBe(1_000_000);
  });

  it('is nothing for a task without a log', async () => {
    await using logs = await host();
    logs.end();
    expect(await textsOf(logs.read())).toEqual([]);
    expect(await textsOf(logs.read({ follow: true }))).toEqual([]);
  });
});

describe('following', () => {
  it('sees what is written, by containers that come later too, and ends when all is over', async () => {
    await using logs = await host();
    await logs.store.announce('task', ['first', 'second']);
    const first = await logs.store.create('task', 'first');
    writeFileSync(first.stdout, 'before\n');
    const reading = logs.read({ follow: true });
    const next = async () => ((await reading.next()).value ?? []).map(({ text }) => text);
    expect(await next()).toEqual(['before']);
    appendFileSync(first.stderr, 'oops\n');
    expect(await next()).toEqual(['oops']);
    const second = await logs.store.create('task', 'second');
    appendFileSync(second.stdout, 'hello\nwithout end');
    expect(await next()).toEqual(['hello']);
    logs.end();
    expect(await next()).toEqual(['without end']);
    expect((await reading.next()).done).toBe(true);
  });

  it('begins with the last lines where a tail is asked for', async () => {
    await using logs = await host();
    const { stdout } = await logs.store.create('task', 'main');
    writeFileSync(stdout, 'one\ntwo\n');
    const reading = logs.read({ follow: true, tail: 1 });
    expect((await reading.next()).value?.map(({ text }) => text)).toEqual(['two']);
    appendFileSync(stdout, 'three\n');
    expect((await reading.next()).value?.map(({ text }) => text)).toEqual(['three']);
    await reading.return();
  });

  it('ends when its signal fires, however quiet the task is', async () => {
    await using logs = await host();
    await logs.store.create('task', 'main');
    const stop = new AbortController();
    const reading = textsOf(logs.read({ follow: true, signal: stop.signal }));
    stop.abort();
    expect(await reading).toEqual([]);
  });
});

describe('the store of logs', () => {
  it('lists tasks and removes them', async () => {
    await using logs = await host();
    const madeAt = (taskId: string) => statSync(dirname(logs.store.directoryOf(taskId, 'main'))).birthtimeMs;
    await logs.store.create('older', 'main');
    await logs.store.create('newer', 'main');
    // The kernel stamps files by its tick: two made within one are equally old.
    while (madeAt('newer') === madeAt('older')) {
      await logs.store.remove('newer');
      await logs.store.create('newer', 'main');
    }
    await logs.store.announce('newer', ['other']);
    expect(await logs.store.tasks()).toEqual(['older', 'newer']);
    expect(await logs.store.containers('newer')).toEqual(['main', 'other']);
    expect(await logs.store.isCreated('newer', 'main')).toBe(true);
    expect(await logs.store.isCreated('newer', 'other')).toBe(false);
    await logs.store.remove('older');
    await logs.store.remove('older');
    expect(await logs.store.tasks()).toEqual(['newer']);
  });
});
