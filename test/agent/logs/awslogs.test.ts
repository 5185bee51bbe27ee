/** Logs that are sent on to CloudWatch Logs, from their files, within its limits, whatever it and the agent do. */
import { appendFileSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../agent/clock.ts';
import { LogKeeper } from '../../../agent/logs/log-keeper.ts';
import { LogStore } from '../../../agent/logs/log-store.ts';
import { type AwslogsTarget, awslogsLog } from '../../../core/model/log-target.ts';
import { type FakeCloudWatchLogs, startFakeCloudWatchLogs } from '../../support/fake-cloudwatch-logs.ts';
import { shippersTo } from './shippers.ts';

const log = pino({ level: process.env.GANTRY_TEST_LOG ?? 'silent' });
/** Nobody waits in tests. */
const clock = {
  now: () => Date.now(),
  sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(Math.min(ms, 5), signal),
};
const mib = 1024 * 1024;
const stream = 'web/app/task';

const target = (more: Partial<AwslogsTarget> = {}): AwslogsTarget => ({
  ...awslogsLog({
    region: 'eu-central-1',
    group: 'g',
    stream,
    createsGroup: false,
    mode: 'non-blocking',
    maxBufferBytes: 10 * mib,
  }),
  ...more,
});

let cloud: FakeCloudWatchLogs;
beforeAll(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  cloud = await startFakeCloudWatchLogs();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await cloud[Symbol.asyncDispose]();
});
beforeEach(() => {
  cloud.mood = 'well';
  cloud.groups.clear();
  cloud.groups.set('g', new Map());
  cloud.batches.length = 0;
  cloud.refused.length = 0;
});

async function host() {
  const directory = await mkdtempDisposable(join(tmpdir(), 'gantry-awslogs-'));
  const store = new LogStore(directory.path);
  const brake: string[] = [];
  const hold = async () => void brake.push('hold');
  const release = async () => void brake.push('release');
  const shippers = () => shippersTo(clock, { endpoint: cloud.url, brakeOf: () => ({ hold, release }) });
  const open = () => new LogKeeper(store, { clock, log, shippers: shippers() });
  let keeper = open();
  return {
    brake,
    keeper: () => keeper,
    async restart() {
      await keeper.close();
      keeper = open();
      await keeper.takeUp(() => true);
    },
    async [Symbol.asyncDispose]() {
      await keeper.close();
      await directory.remove();
    },
  };
}

const beIn = (mood: FakeCloudWatchLogs['mood']): void => {
  cloud.mood = mood;
};
/** On a machine that does other things too. */
const eventually = <T>(look: () => T | Promise<T>) => expect.poll(look, { timeout: 20_000 });
const sent = () => cloud.messages('g', stream);
const numbered = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => `line ${from + index}`);
const text = (lines: readonly string[]) => `${lines.join('\n')}\n`;

describe('what a container writes', () => {
  it('is sent all of it, of both streams, in batches that are within the limits', async () => {
    await using world = await host();
    const { stdout, stderr } = await world.keeper().create('task', 'app', target());
    const long = 'ä'.repeat(200_000);
    appendFileSync(stdout, text([...numbered(0, 25_000), '', long, 'ünd', 'x'.repeat(20_000)]));
    appendFileSync(stderr, 'bad\xff\nno end');
    await world.keeper().finish('task');
    await eventually(() => sent().length).toBeGreaterThanOrEqual(25_007);
    const lines = sent();
    expect(lines.filter((line) => line.startsWith('line '))).toEqual(numbered(0, 25_000));
    expect(lines.filter((line) => line.startsWith('ä')).join('')).toBe(long);
    for (const one of ['ünd', 'x'.repeat(20_000), 'badÿ', 'no end'])
      expect(lines.filter((line) => line === one)).toEqual([one]);
    expect(cloud.batches.length).toBeGreaterThan(2);
  });

  it('is put together from one time to the next where there is a format', async () => {
    await using world = await host();
    const { stdout } = await world.keeper().create('task', 'app', target({ datetimeFormat: '[%Y-%m-%d %H:%M:%S]' }));
    appendFileSync(stdout, text(['[2026-11-30 10:00:00] one', '  at a', '', '  at b', '[2026-11-30 10:00:01] two']));
    await world.keeper().finish('task');
    await eventually(sent).toEqual(['[2026-11-30 10:00:00] one\n  at a\n\n  at b', '[2026-11-30 10:00:01] two']);
  });

  it('is sent once, though the agent ends while nobody answers and much is written meanwhile', async () => {
    await using world = await host();
    const { stdout } = await world.keeper().create('task', 'app', target());
    appendFileSync(stdout, text(numbered(0, 1000)));
    await eventually(() => sent().length).toBe(1000);
    cloud.mood = 'deaf';
    appendFileSync(stdout, text(numbered(1000, 2000)));
    await eventually(() => cloud.refused.length).toBe(1);
    await world.keeper().close();
    appendFileSync(stdout, text(numbered(2000, 3000)));
    cloud.mood = 'well';
    await world.restart();
    appendFileSync(stdout, text(numbered(3000, 3001)));
    await world.keeper().finish('task');
    await eventually(() => sent().length).toBe(3001);
    expect(sent()).toEqual(numbered(0, 3001));
  });

  it('is not taken for sent where the agent ends while it waits to try again', async () => {
    await using world = await host();
    const { stdout } = await world.keeper().create('task', 'app', target());
    beIn('failing');
    appendFileSync(stdout, text(['one']));
    await eventually(() => cloud.refused.length).toBeGreaterThan(0);
    for (let ends = 0; ends < 10; ends += 1) await world.restart();
    beIn('well');
    await eventually(sent).toEqual(['one']);
  });

  it('is twice there no more than the one batch whose answer got lost', async () => {
    await using world = await host();
    const { stdout } = await world.keeper().create('task', 'app', target());
    cloud.mood = 'rude';
    appendFileSync(stdout, text(numbered(0, 10)));
    await eventually(() => sent().length).toBeGreaterThanOrEqual(10);
    await world.keeper().close();
    const before = sent().length;
    cloud.mood = 'well';
    await world.restart();
    await eventually(() => sent().length).toBe(before + 10);
    appendFileSync(stdout, text(numbered(10, 11)));
    await eventually(() => sent().at(-1)).toBe('line 10');
    expect(sent().length).toBe(before + 11);
  });
});

describe('while CloudWatch Logs is not well', () => {
  it.each(['throttled', 'failing', 'denying'] as const)('%s: it is tried again, and readers are told', async (mood) => {
    await using world = await host();
    const { stdout } = await world.keeper().create('task', 'app', target());
    cloud.mood = mood;
    appendFileSync(stdout, text(['one']));
    const trouble = async () => (await world.keeper().of('task', 'app'))?.trouble?.message;
    await eventually(trouble).toMatch(/^(Throttling|ServiceUnavailable|AccessDenied)Exception: /);
    cloud.mood = 'well';
    await eventually(sent).toEqual(['one']);
    await eventually(trouble).toBeUndefined();
  });

  it('a group that was deleted meanwhile is made again where that is asked for', async () => {
    await using world = await host();
    const { stdout } = await world.keeper().create('task', 'app', target({ createsGroup: true }));
    cloud.groups.clear();
    appendFileSync(stdout, text(['one']));
    await eventually(sent).toEqual(['one']);
  });

  it('non-blocking: the oldest beyond what may wait is left out, and said in its place', async () => {
    await using world = await host();
    const { stdout } = await world.keeper().create('task', 'app', target({ maxBufferBytes: 50_000 }));
    cloud.mood = 'deaf';
    appendFileSync(stdout, text(['first']));
    await eventually(() => cloud.refused.length).toBe(1);
    appendFileSync(stdout, text(numbered(100_000, 120_000)));
    const kept = await world.keeper().of('task', 'app');
    await eventually(() => kept?.sizeOf('stdout')).toBe(6 + 20_000 * 12);
    cloud.mood = 'well';
    await world.restart();
    await world.keeper().finish('task');
    await eventually(() => sent().at(-1)).toBe('line 119999');
    const lines = sent();
    const said = lines.findIndex((line) => line.startsWith('[gantry]'));
    const missing = Number(lines[said]?.match(/\d+/)?.[0]);
    const rest = lines.filter((line) => line.startsWith('line '));
    expect(lines.length).toBeLessThan(5000);
    expect(rest).toEqual(numbered(120_000 - rest.length, 120_000));
    expect(missing + lines.filter((line) => line === 'first').length * 6 + rest.length * 12).toBe(6 + 20_000 * 12);
  });

  it('blocking: the container is held up while much waits, let go when little does, and nothing is left out', async () => {
    await using world = await host();
    const { stdout } = await world
      .keeper()
      .create('task', 'app', target({ mode: 'blocking', maxBytes: 100_000, dropBytes: 50_000 }));
    cloud.mood = 'throttled';
    appendFileSync(stdout, text(numbered(100_000, 110_000)));
    await eventually(() => world.brake).toEqual(['release', 'hold']);
    cloud.mood = 'well';
    await eventually(() => sent().length).toBe(10_000);
    expect(sent()).toEqual(numbered(100_000, 110_000));
    await eventually(() => world.brake).toEqual(['release', 'hold', 'release']);
    cloud.mood = 'throttled';
    appendFileSync(stdout, text(numbered(100_000, 110_000)));
    await eventually(() => world.brake.at(-1)).toBe('hold');
    await world.keeper().letGo('task', 'app');
    expect(world.brake.at(-1), 'it is to end').toBe('release');
  });
});

describe('a container whose log cannot be begun', () => {
  it.each([
    [
      'its group is missing',
      () => cloud.groups.clear(),
      /ResourceNotFoundException: The specified log group does not exist/,
      false,
    ],
    ['it is not allowed', () => beIn('denying'), /AccessDeniedException: User: .* is not authorized/, false],
    ['it is throttled', () => beIn('throttled'), /ThrottlingException: Rate exceeded/, true],
  ] as const)('is not made: %s', async (_, happens, message, retryable) => {
    await using world = await host();
    happens();
    await expect(world.keeper().create('task', 'app', target())).rejects.toMatchObject({
      kind: 'CannotStartContainerError',
      message: expect.stringMatching(message),
      retryable,
    });
  });
});
