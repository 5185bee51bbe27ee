import { appendFileSync, readFileSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../agent/clock.ts';
import { LogKeeper } from '../../../agent/logs/log-keeper.ts';
import { type ReadLogsOptions, readTaskLogs } from '../../../agent/logs/log-reader.ts';
import { LogStore } from '../../../agent/logs/log-store.ts';
import type { Bell } from '../../../agent/loops/bell.ts';
import { jsonFileLog } from '../../../core/model/log-target.ts';
import type { LogLine } from '../../../core/model/task.ts';
import { noShippers } from './shippers.ts';

const log = pino({ level: 'silent' });
/** What is shorter is the reader's. */
const keepersSleepMs = 100;

/** The keeper's looks at what grows come when the test lets time pass; what the kernel says of files comes by itself. */
async function host() {
  const directory = await mkdtempDisposable(join(tmpdir(), 'gantry-logs-'));
  const store = new LogStore(directory.path);
  let now = 1000;
  const sleepers = new Set<() => void>();
  const clock = {
    now: () => now,
    sleep: (ms: number, signal?: AbortSignal) =>
      ms < keepersSleepMs
        ? systemClock.sleep(ms, signal)
        : new Promise<void>((resolve) => {
            sleepers.add(resolve);
            signal?.addEventListener('abort', () => resolve());
          }),
  };
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
  const wake = () => {
    for (const sleeper of sleepers) sleeper();
    sleepers.clear();
  };
  const shippers = noShippers(clock);
  const open = () => new LogKeeper(store, { clock, log, shippers });
  let keeper = open();
  return {
    store,
    keeper: () => keeper,
    at(time: number) {
      now = time;
    },
    /** What was asked to be done later is done. */
    wake,
    /** As a crash does it, and the next agent finds it. */
    async restart(isHere: (taskId: string) => boolean = () => true) {
      await keeper.close();
      wake();
      keeper = open();
      await keeper.takeUp(isHere);
    },
    /** Notes the time of what is there, as the kernel's word would do it. */
    note: async (container: string) => await (await keeper.of('task', container))?.note(),
    end() {
      over = true;
      for (const bell of bells) bell.ring();
    },
    read: (options: Partial<ReadLogsOptions> = {}) =>
      readTaskLogs({ keeper, life, clock }, 'task', { follow: false, signal: unending, ...options }),
    async [Symbol.asyncDispose]() {
      await keeper.close();
      wake();
      await directory.remove();
    },
  };
}

async function linesOf(lines: ReturnType<typeof readTaskLogs>): Promise<LogLine[]> {
  const all: LogLine[] = [];
  for await (const batch of lines) all.push(...batch);
  return all;
}

const textsOf = async (lines: ReturnType<typeof readTaskLogs>): Promise<string[]> =>
  (await linesOf(lines)).map(({ container, stream, text }) => `${container}/${stream}: ${text}`);

describe('reading what is there', () => {
  it('puts the lines of all files in the order of their times, and takes the last of all of them for a tail', async () => {
    await using logs = await host();
    const a = await logs.keeper().create('task', 'a');
    const b = await logs.keeper().create('task', 'b');
    const write = async (at: number, container: string, path: string, text: string) => {
      logs.at(at);
      appendFileSync(path, text);
      await logs.note(container);
    };
    await write(1000, 'b', b.stdout, 'b1\n');
    await write(2000, 'a', a.stdout, 'a1\na2\n');
    await write(3000, 'b', b.stdout, 'b2\nb3');
    await write(4000, 'a', a.stderr, 'late\n');
    const all = ['b/stdout: b1', 'a/stdout: a1', 'a/stdout: a2', 'b/stdout: b2', 'b/stdout: b3', 'a/stderr: late'];
    expect(await textsOf(logs.read())).toEqual(all);
    for (const tail of [0, 1, 2, 3, 5, 6, 7])
      expect(await textsOf(logs.read({ tail }))).toEqual(all.slice(all.length - Math.min(tail, 6)));
    expect(await textsOf(logs.read({ container: 'b', tail: 1 }))).toEqual(['b/stdout: b3']);
    expect((await linesOf(logs.read())).map(({ at }) => at)).toEqual([1000, 2000, 2000, 3000, 3000, 4000]);
    expect(await textsOf(logs.read({ since: 2000 }))).toEqual(all.slice(1));
    expect(await textsOf(logs.read({ since: 2001 }))).toEqual(all.slice(3));
    expect(await textsOf(logs.read({ since: 2001, tail: 2 }))).toEqual(all.slice(4));
    expect(await textsOf(logs.read({ since: 4001 }))).toEqual([]);
  });

  it('gives a line that was begun before and ended after a look the later time', async () => {
    await using logs = await host();
    const { stdout } = await logs.keeper().create('task', 'main');
    appendFileSync(stdout, 'whole\nbeg');
    await logs.note('main');
    logs.at(2000);
    appendFileSync(stdout, 'un\n');
    expect(await linesOf(logs.read())).toMatchObject([
      { text: 'whole', at: 1000, offset: 6 },
      { text: 'begun', at: 2000, offset: 12 },
    ]);
    expect(await textsOf(logs.read({ since: 1500 }))).toEqual(['main/stdout: begun']);
  });

  it('is nothing for a task without a log', async () => {
    await using logs = await host();
    logs.end();
    expect(await textsOf(logs.read())).toEqual([]);
    expect(await textsOf(logs.read({ follow: true }))).toEqual([]);
  });
});

describe('what was written while no agent was there', () => {
  it('has the time of the last write, marked as approximate, and is neither lost nor doubled', async () => {
    await using logs = await host();
    const { stdout } = await logs.keeper().create('task', 'main');
    appendFileSync(stdout, 'seen\n');
    await logs.note('main');
    await logs.keeper().close();
    appendFileSync(stdout, 'unseen\nhal');
    utimesSync(stdout, 5, 5);
    await logs.restart();
    logs.at(9000);
    appendFileSync(stdout, 'f\nseen again\n');
    const lines = await linesOf(logs.read());
    expect(lines.map(({ text, at, approximate }) => ({ text, at, approximate }))).toEqual([
      { text: 'seen', at: 1000, approximate: undefined },
      { text: 'unseen', at: 5000, approximate: true },
      { text: 'half', at: 9000, approximate: undefined },
      { text: 'seen again', at: 9000, approximate: undefined },
    ]);
  });

  it('is approximate all of it in a log of an agent that kept no times', async () => {
    await using logs = await host();
    const { stdout } = await logs.store.create('task', 'main');
    writeFileSync(stdout, 'old\n');
    utimesSync(stdout, 7, 7);
    await logs.restart(() => false);
    expect(await linesOf(logs.read())).toMatchObject([{ text: 'old', at: 7000, approximate: true }]);
  });

  it('survives an index that is torn, or that knows more than a power cut has left of the file', async () => {
    await using logs = await host();
    const { stdout } = await logs.keeper().create('task', 'main');
    for (const [at, text] of [
      [1000, 'one\n'],
      [2000, 'two\n'],
      [3000, 'three\n'],
    ] as const) {
      logs.at(at);
      appendFileSync(stdout, text);
      await logs.note('main');
    }
    await logs.keeper().close();
    truncateSync(stdout, 8);
    truncateSync(`${stdout}.times`, 41);
    await logs.restart();
    logs.at(4000);
    appendFileSync(stdout, 'four\n');
    expect(await linesOf(logs.read())).toMatchObject([
      { text: 'one', at: 1000 },
      { text: 'two', at: 2000 },
      { text: 'four', at: 4000 },
    ]);
  });
});

describe('following', () => {
  it('sees what is written, by containers that come later too, and ends when all is over', async () => {
    await using logs = await host();
    await logs.store.announce('task', ['first', 'second']);
    const first = await logs.keeper().create('task', 'first');
    writeFileSync(first.stdout, 'before\n');
    const reading = logs.read({ follow: true });
    const next = async () => {
      const coming = reading.next();
      const waking = setInterval(logs.wake, 5);
      const { value } = await coming;
      clearInterval(waking);
      return (value ?? []).map(({ text }) => text);
    };
    expect(await next()).toEqual(['before']);
    appendFileSync(first.stderr, 'oops\n');
    expect(await next()).toEqual(['oops']);
    const second = await logs.keeper().create('task', 'second');
    appendFileSync(second.stdout, 'hello\nwithout end');
    expect(await next()).toEqual(['hello']);
    logs.end();
    expect(await next()).toEqual(['without end']);
    expect(await next()).toEqual([]);
  });

  it('ends when its signal fires, however quiet the task is', async () => {
    await using logs = await host();
    await logs.keeper().create('task', 'main');
    const stop = new AbortController();
    const reading = textsOf(logs.read({ follow: true, signal: stop.signal }));
    stop.abort();
    expect(await reading).toEqual([]);
  });
});

describe('a log that is larger than was asked for', () => {
  const line = (number: number) => `line ${String(number).padStart(6, '0')} ${'x'.repeat(87)}\n`;
  const lines = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) => line(from + index)).join('');
  const onDisk = (path: string) => statSync(path).blocks * 512;

  it('loses its oldest whole lines from the disk, says so, and goes on from there after a crash', async () => {
    await using logs = await host();
    const { stdout } = await logs.keeper().create('task', 'main', jsonFileLog(100_000, 3));
    writeFileSync(stdout, lines(0, 2000));
    const reading = logs.read({ follow: true });
    expect((await reading.next()).value?.[0]).toMatchObject({ text: line(0).trimEnd() });
    appendFileSync(stdout, lines(2000, 4000));
    await logs.restart(); // It looks at once.
    const kept = await linesOf(logs.read());
    const [said, first] = kept;
    const missing = said?.droppedBytes ?? 0;
    expect(missing).toBeGreaterThanOrEqual(100_000);
    expect(missing % 100).toBe(0);
    expect(first).toMatchObject({ text: line(missing / 100).trimEnd(), offset: missing + 100 });
    expect(
      kept
        .slice(1)
        .map(({ text }) => `${text}\n`)
        .join(''),
    ).toBe(lines(missing / 100, 4000));
    expect(kept.length).toBeLessThan(3001);
    await expect.poll(() => onDisk(stdout)).toBeLessThan(310_000);
    await reading.return();
    await logs.restart();
    expect(await linesOf(logs.read())).toEqual(kept);
    expect((await linesOf(logs.read({ tail: 3 }))).map(({ text }) => `${text}\n`).join('')).toBe(lines(3997, 4000));
  });

  it('tells a reader that is overtaken how much it has missed, and gives it every line that is left', async () => {
    await using logs = await host();
    const { stdout } = await logs.keeper().create('task', 'main', jsonFileLog(200_000, 1));
    writeFileSync(stdout, lines(0, 1000));
    const reading = logs.read();
    const read = [...((await reading.next()).value ?? [])];
    appendFileSync(stdout, lines(1000, 5000));
    const keeping = await logs.keeper().of('task', 'main');
    const head = () => {
      logs.wake();
      return keeping?.headOf('stdout');
    };
    await expect.poll(head).toBeGreaterThan(100_000);
    for await (const batch of reading) read.push(...batch);
    const missed = read.findIndex(({ droppedBytes }) => droppedBytes !== undefined);
    const before = read[missed - 1]?.offset ?? 0;
    const said = read[missed];
    expect(said?.offset).toBe(before + (said?.droppedBytes ?? 0));
    expect(read[missed + 1]).toMatchObject({ offset: (said?.offset ?? 0) + 100 });
    const numbers = read
      .filter(({ droppedBytes }) => droppedBytes === undefined)
      .map(({ text }) => Number(text.slice(5, 11)));
    expect(numbers).toEqual([
      ...Array.from({ length: before / 100 }, (_, index) => index),
      ...Array.from({ length: 5000 - (said?.offset ?? 0) / 100 }, (_, index) => (said?.offset ?? 0) / 100 + index),
    ]);
  });

  it('begins behind its hole where a power cut has undone what was noted of it', async () => {
    await using logs = await host();
    const { stdout } = await logs.keeper().create('task', 'main', jsonFileLog(100_000, 2));
    const noted = join(dirname(stdout), 'log.json');
    const before = readFileSync(noted);
    writeFileSync(stdout, lines(0, 5000));
    await logs.restart();
    await expect.poll(() => onDisk(stdout)).toBeLessThan(210_000);
    const [, ...kept] = await linesOf(logs.read());
    await logs.keeper().close();
    writeFileSync(noted, before);
    await logs.restart();
    const [again, ...after] = await linesOf(logs.read());
    expect(again?.droppedBytes).toBeGreaterThan(100_000);
    expect(after.slice(-kept.length)).toEqual(kept);
    expect(after.length - kept.length, 'what shared a page with the first line').toBeLessThan(42);
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
