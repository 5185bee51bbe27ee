/** What the sweep does of notices to instances, and that it keeps the times that loops ask for within its minute. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stsCallerIdentity } from '../../control/hosts/caller-identity.ts';
import { admitInstances, registerHostRole } from '../../control/hosts/instances.ts';
import type { Table } from '../../control/store/table.ts';
import { getTasks } from '../../control/store/tasks.ts';
import { createSweepHandler } from '../../lambdas/sweep/handler.ts';
import { Instance, roleId } from '../control/support/instance.ts';
import type { ScriptedHost } from '../control/support/scripted-host.ts';
import { errorLevel, hostView, idOf, startWorld, type World } from '../control/support/world.ts';
import { type FakeSts, startFakeSts } from '../support/fake-sts.ts';
import { lambdaContext } from './support/events.ts';

const instanceId = 'i-0123456789abcdef0';
const stranger = 'i-0aaaaaaaaaaaaaaaa';

let world: World;
let sts: FakeSts;
/** On the host of the instance. */
let taskId: string;
let begunAt: number;

beforeEach(async () => {
  sts = await startFakeSts();
  world = await startWorld({
    store: 'dynamodb',
    settings: { heartbeatSeconds: 60 },
    callerIdentity: stsCallerIdentity(sts.endpoint),
  });
  await world.register('web');
  await registerHostRole(world.control.deps, { roleId, cluster: 'default' });
  await join(instanceId);
  const { tasks } = await world.call('RunTask', { taskDefinition: 'web' });
  taskId = idOf(tasks[0]?.taskArn);
  await world.control.loops.stop();
  begunAt = world.now();
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
  await sts[Symbol.asyncDispose]();
});

async function join(id: string): Promise<ScriptedHost> {
  await admitInstances(world.control.deps, 'default', [id]);
  return new Instance(world, sts, id).join();
}

/** Its clock goes by sleeping alone. */
function sweep(event: unknown, { remainingMs = 120_000 } = {}) {
  const sleep = async (ms: number): Promise<void> => world.advance(ms / 1000);
  return createSweepHandler({ ...world.control.deps, sleep, activate: () => {} })(event, lambdaContext(remainingMs));
}

const iso = (at: number): string => new Date(at).toISOString();
const minute = () => ({ source: 'aws.scheduler', 'detail-type': 'Scheduled Event', time: iso(world.now()) });
const interruption = (id = instanceId) => ({
  source: 'aws.ec2',
  'detail-type': 'EC2 Spot Instance Interruption Warning',
  time: iso(world.now()),
  detail: { 'instance-id': id, 'instance-action': 'terminate' },
});
const rebalance = () => ({
  source: 'aws.ec2',
  'detail-type': 'EC2 Instance Rebalance Recommendation',
  time: iso(world.now()),
  detail: { 'instance-id': instanceId },
});
const health = (changes: object = {}, ids: readonly string[] = [instanceId]) => ({
  source: 'aws.health',
  'detail-type': 'AWS Health Event',
  time: iso(world.now()),
  resources: [...ids],
  detail: {
    service: 'EC2',
    eventTypeCode: 'AWS_EC2_PERSISTENT_INSTANCE_RETIREMENT_SCHEDULED',
    eventTypeCategory: 'scheduledChange',
    statusCode: 'upcoming',
    startTime: new Date(world.now() + 14 * 24 * 3600_000).toUTCString(),
    affectedEntities: ids.map((entityValue) => ({ entityValue })),
    ...changes,
  },
});

const task = async () => (await world.call('DescribeTasks', { tasks: [taskId] })).tasks[0];
/** From the beginning until the task was told to stop. */
const toldToStopAfterMs = async () => {
  const desired = (await getTasks(world.table, [taskId])).get(taskId)?.desired;
  return desired?.status === 'STOPPED' ? desired.at - begunAt : undefined;
};
const errors = () => world.logged.filter(({ level }) => level === errorLevel);

describe('a spot interruption', () => {
  it('is followed by its own invocation to the second at which tasks are stopped', async () => {
    expect(await sweep(interruption())).toEqual({ loops: 0, failed: 0 });
    expect(await hostView(world, instanceId)).toMatchObject({ status: 'DRAINING' });
    expect(await task()).toMatchObject({ desiredStatus: 'STOPPED', stopCode: 'SpotInterruption' });
    expect(await toldToStopAfterMs()).toBe(90_000);
  });

  it('told again while it is followed stops nothing twice and nothing later', async () => {
    await Promise.all([sweep(interruption()), sweep(interruption())]);
    expect(await toldToStopAfterMs()).toBe(90_000);
    expect(errors()).toEqual([]);
  });

  it('is left to the next sweep where the invocation ends before, which keeps the time', async () => {
    await sweep(interruption(), { remainingMs: 30_000 });
    expect(await task()).toMatchObject({ desiredStatus: 'RUNNING' });
    expect(world.now() - begunAt).toBeLessThanOrEqual(20_000);
    world.advance(31);
    expect(await sweep(minute())).toMatchObject({ failed: 0 });
    expect(await toldToStopAfterMs()).toBe(90_000);
  });

  it('of an instance that is no host of ours concerns nobody', async () => {
    expect(await sweep(interruption(stranger))).toEqual({ loops: 0, failed: 0 });
    expect(await hostView(world, instanceId)).toMatchObject({ status: 'ACTIVE' });
  });
});

describe('a sweep', () => {
  it('does not wait for what comes after the next one', async () => {
    await sweep(interruption(), { remainingMs: 10_000 });
    await sweep(minute());
    expect(world.now()).toBe(begunAt);
    expect(await task()).toMatchObject({ desiredStatus: 'RUNNING' });
  });

  it('ends a wait for a host when its time is over', async () => {
    const { tasks } = await world.call('RunTask', {
      taskDefinition: 'web',
      placementTimeoutSeconds: 60,
      overrides: { cpu: '65536' },
    });
    await world.control.loops.stop();
    world.advance(20);
    await sweep(minute());
    expect(world.now() - begunAt).toBe(60_000);
    const { tasks: seen } = await world.call('DescribeTasks', { tasks: [idOf(tasks[0]?.taskArn)] });
    expect(seen[0]).toMatchObject({ lastStatus: 'STOPPED', stopCode: 'TaskFailedToStart' });
  });
});

describe('a task that may be replaced', () => {
  it('is looked after each second at first, and ever more seldom while nothing takes its place', async () => {
    const tags = [{ key: 'gantry:replaceable', value: 'true' }];
    await world.call('RunTask', { taskDefinition: 'web', tags });
    await world.control.loops.stop();
    let slept: number[] = [];
    const sleep = async (ms: number): Promise<void> => {
      slept.push(ms);
      world.advance(ms / 1000);
    };
    const handle = createSweepHandler({ ...world.control.deps, sleep, activate: () => {} });
    await handle(health(), lambdaContext(120_000));
    expect(slept.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 1000));
    world.advance(24 * 3600);
    slept = [];
    await handle(minute(), lambdaContext(120_000));
    expect(slept).toEqual([30_000, 30_000]);
  });
});

describe('a rebalance recommendation', () => {
  it('empties the host without ever stopping what may not be replaced', async () => {
    await sweep(rebalance());
    expect(await hostView(world, instanceId)).toMatchObject({ status: 'DRAINING' });
    world.advance(24 * 3600);
    await sweep(minute());
    expect(await task()).toMatchObject({ desiredStatus: 'RUNNING' });
  });

  it('gives way to the interruption that follows it', async () => {
    await sweep(rebalance());
    await sweep(interruption());
    expect(await task()).toMatchObject({ desiredStatus: 'STOPPED', stopCode: 'SpotInterruption' });
  });
});

describe('a retirement of hardware', () => {
  it('empties every instance of the event, those of others left alone, and stops nothing before its time', async () => {
    const other = 'i-0bbbbbbbbbbbbbbbb';
    await join(other);
    await sweep(health({}, [stranger, instanceId, `arn:aws:ec2:us-east-1:000000000000:instance/${other}`, 'h-0cc']));
    for (const id of [instanceId, other]) expect(await hostView(world, id)).toMatchObject({ status: 'DRAINING' });
    expect(world.now() - begunAt, 'nobody stays for what is due in two weeks').toBe(1000);
    world.advance(14 * 24 * 3600);
    await sweep(minute());
    expect(await task()).toMatchObject({ desiredStatus: 'STOPPED', stopCode: 'TerminationNotice' });
    expect(errors()).toEqual([]);
  });

  it.each([
    ['that was called off', { statusCode: 'closed' }],
    ['of another service', { service: 'RDS' }],
    ['that is a reboot', { eventTypeCode: 'AWS_EC2_INSTANCE_REBOOT_MAINTENANCE_SCHEDULED' }],
    ['that is an issue', { eventTypeCategory: 'issue' }],
  ])('%s concerns no host', async (_, changes) => {
    await sweep(health(changes));
    expect(await hostView(world, instanceId)).toMatchObject({ status: 'ACTIVE' });
    expect(errors()).toEqual([]);
  });
});

describe('an event of these kinds', () => {
  it.each([
    ['without an instance', () => ({ ...interruption(), detail: {} })],
    [
      'without a state',
      () => ({ 'detail-type': 'EC2 Instance State-change Notification', detail: { 'instance-id': instanceId } }),
    ],
    ['whose time is none', () => health({ startTime: 'soon' })],
  ])('%s is said to be unreadable, and nothing is done', async (_, event) => {
    expect(await sweep(event())).toEqual({ loops: 0, failed: 0 });
    expect(errors()).toMatchObject([{ msg: 'an event that tells of instances cannot be read' }]);
    expect(await hostView(world, instanceId)).toMatchObject({ status: 'ACTIVE' });
  });

  it('is told again where it could not be done, after what could', async () => {
    const { deps } = world.control;
    const broken: Table = {
      get: (key, options) =>
        key.pk === `instance#${stranger}` ? Promise.reject(new Error('no')) : world.table.get(key, options),
      getMany: (keys, options) => world.table.getMany(keys, options),
      query: (pk, options) => world.table.query(pk, options),
      queryHistory: (pk, options) => world.table.queryHistory(pk, options),
      commit: (changes, options) => world.table.commit(changes, options),
      close: () => world.table.close(),
    };
    const handle = createSweepHandler({ ...deps, table: broken });
    await expect(handle(health({}, [stranger, instanceId]), lambdaContext())).rejects.toThrow('no');
    expect(await hostView(world, instanceId)).toMatchObject({ status: 'DRAINING' });
  });
});
