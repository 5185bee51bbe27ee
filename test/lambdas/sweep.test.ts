import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Metrics } from '../../control/deps.ts';
import { stsCallerIdentity } from '../../control/hosts/caller-identity.ts';
import { admitInstances, registerHostRole } from '../../control/hosts/instances.ts';
import type { Table } from '../../control/store/table.ts';
import { createSweepHandler, isDue } from '../../lambdas/sweep/handler.ts';
import { Instance, roleId } from '../control/support/instance.ts';
import { errorLevel, idOf, startWorld, type World } from '../control/support/world.ts';
import { type FakeSts, startFakeSts } from '../support/fake-sts.ts';
import { lambdaContext } from './support/events.ts';

let world: World;
let sts: FakeSts;
/** Partitions that the sweep has read, and what it counted. */
const queried: string[] = [];
const counted: Parameters<Metrics['count']>[] = [];
/** A partition that cannot be read. */
let broken: RegExp | undefined;

beforeEach(async () => {
  sts = await startFakeSts();
  world = await startWorld({
    store: 'dynamodb',
    settings: { heartbeatSeconds: 60 },
    callerIdentity: stsCallerIdentity(sts.endpoint),
  });
  await world.register('web');
});
afterEach(async () => {
  broken = undefined;
  queried.length = 0;
  counted.length = 0;
  await world[Symbol.asyncDispose]();
  await sts[Symbol.asyncDispose]();
});

function sweeper() {
  const { table } = world;
  const query: Table['query'] = (pk, options) => {
    queried.push(pk);
    return broken?.test(pk) === true ? Promise.reject(new Error(`no ${pk}`)) : table.query(pk, options);
  };
  const watched: Table = {
    get: (key) => table.get(key),
    getMany: (keys) => table.getMany(keys),
    query,
    queryHistory: (pk, options) => table.queryHistory(pk, options),
    commit: (changes) => table.commit(changes),
    close: () => table.close(),
  };
  const metrics: Metrics = { count: (...args) => void counted.push(args) };
  const sweep = createSweepHandler({ ...world.control.deps, table: watched, metrics, activate: () => {} });
  return (event: unknown) => sweep(event, lambdaContext());
}

const minute = (time: string) => ({ source: 'aws.scheduler', 'detail-type': 'Scheduled Event', time });

describe('what is due', () => {
  it.each([
    [60, 1440],
    [5, 1440],
    [300, 288],
    [600, 144],
    [3600, 24],
  ])('each %i s: %i times a day', (period, times) => {
    const start = Date.UTC(2100, 0, 1, 0, 0, 31);
    const minutes = Array.from({ length: 1440 }, (_, index) => start + index * 60_000);
    expect(minutes.filter((at) => isDue(period, at))).toHaveLength(times);
  });
});

describe('a sweep', () => {
  it('places and expires what waits, and reads what waits once for both', async () => {
    const { tasks } = await world.call('RunTask', { taskDefinition: 'web', placementTimeoutSeconds: 60 });
    await world.control.loops.stop();
    world.advance(61);
    expect(await sweeper()(minute('2100-01-01T00:01:07Z'))).toEqual({ loops: 7, failed: 0 });
    const { tasks: seen } = await world.call('DescribeTasks', { tasks: [idOf(tasks[0]?.taskArn)] });
    expect(seen[0]).toMatchObject({ lastStatus: 'STOPPED', stopCode: 'TaskFailedToStart' });
    expect(queried.filter((pk) => pk.startsWith('waiting#'))).toHaveLength(8);
    expect(counted).toContainEqual(['PlacementTimedOut', 1, { cluster: 'default' }]);
  });

  it('runs what is due seldom in its minute alone', async () => {
    expect(await sweeper()(minute('2100-01-01T00:10:00Z'))).toMatchObject({ loops: 8 });
    expect(await sweeper()(minute('2100-01-01T00:30:00Z'))).toMatchObject({ loops: 9 });
    expect(await sweeper()(minute('2100-01-01T01:00:00Z'))).toMatchObject({ loops: 11 });
  });

  it('runs the other loops where one fails, and says which', async () => {
    await world.call('RunTask', { taskDefinition: 'web' });
    await world.control.loops.stop();
    broken = /^waiting#/;
    expect(await sweeper()(minute('2100-01-01T00:01:00Z'))).toEqual({ loops: 7, failed: 2 });
    const named = world.logged.filter(({ level }) => level === errorLevel).map(({ loop }) => loop);
    expect(named).toEqual(['place-pending', 'expire-waiting']);
    expect(counted.filter(([name]) => name === 'LoopFailed')).toEqual([
      ['LoopFailed', 1, { loop: 'place-pending' }],
      ['LoopFailed', 1, { loop: 'expire-waiting' }],
    ]);
    expect(queried.some((pk) => pk === 'open-requests')).toBe(true);
  });

  it('takes its own lateness for no gap in what it hears of hosts', async () => {
    const deps = { ...world.control.deps, settings: { ...world.control.deps.settings, timerJitterSeconds: 60 } };
    const sweep = createSweepHandler({ ...deps, activate: () => {} });
    await world.host();
    for (let sweeps = 0; sweeps < 4; sweeps += 1) {
      await sweep(minute('2100-01-01T00:01:00Z'), lambdaContext());
      world.advance(119);
    }
    await sweep(minute('2100-01-01T00:01:00Z'), lambdaContext());
    expect((await world.call('GetHost', { host: 'host-1' })).host.agentConnected).toBe(false);
  });
});

describe('the end of an instance', () => {
  const stateChange = (instanceId: string, state: string) => ({
    source: 'aws.ec2',
    'detail-type': 'EC2 Instance State-change Notification',
    detail: { 'instance-id': instanceId, state },
  });

  it('ends its host and the tasks on it, once however often it is told', async () => {
    await registerHostRole(world.control.deps, { roleId, cluster: 'default' });
    await admitInstances(world.control.deps, 'default', ['i-0123456789abcdef0']);
    const host = await new Instance(world, sts, 'i-0123456789abcdef0').join();
    const { tasks } = await world.call('RunTask', { taskDefinition: 'web' });
    await host.obey();
    const sweep = sweeper();
    const seen = async () => (await world.call('DescribeTasks', { tasks: [idOf(tasks[0]?.taskArn)] })).tasks[0];

    // It may start again: nothing is over yet.
    await sweep(stateChange('i-0123456789abcdef0', 'stopped'));
    expect(await seen()).toMatchObject({ lastStatus: 'RUNNING' });
    for (const state of ['shutting-down', 'terminated', 'terminated']) {
      await sweep(stateChange('i-0123456789abcdef0', state));
      expect(await seen()).toMatchObject({
        lastStatus: 'STOPPED',
        stopCode: 'TerminationNotice',
        stoppedReason: 'Host EC2 (instance i-0123456789abcdef0) terminated.',
      });
    }
  });

  it('of others than hosts concerns nobody', async () => {
    expect(await sweeper()(stateChange('i-0aaaaaaaaaaaaaaaa', 'terminated'))).toEqual({ loops: 0, failed: 0 });
  });
});
