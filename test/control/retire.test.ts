import { describe, expect, it } from 'vitest';
import { stsCallerIdentity } from '../../control/hosts/caller-identity.ts';
import { drainHost } from '../../control/hosts/drain.ts';
import { admitInstances, registerHostRole } from '../../control/hosts/instances.ts';
import { instanceGone, retireHost, retireInstance } from '../../control/hosts/retire.ts';
import { getHostCapacity, getHostIdentity } from '../../control/store/hosts.ts';
import { startFakeSts } from '../support/fake-sts.ts';
import { Instance, roleId } from './support/instance.ts';
import { Death } from './support/intercepted-table.ts';
import { breaches } from './support/invariants.ts';
import { ScriptedHost } from './support/scripted-host.ts';
import { hostView, idOf, type StoreKind, startWorld, type World, type WorldOptions } from './support/world.ts';

const instanceId = 'i-0123456789abcdef0';
const gone = instanceGone(instanceId, 'terminated');

async function startWithInstance(options: WorldOptions = {}) {
  await using started = new AsyncDisposableStack();
  const sts = started.use(await startFakeSts());
  const world = started.use(await startWorld({ ...options, callerIdentity: stsCallerIdentity(sts.endpoint) }));
  await registerHostRole(world.control.deps, { roleId, cluster: 'default' });
  await admitInstances(world.control.deps, 'default', [instanceId]);
  const instance = new Instance(world, sts, instanceId);
  const host = await instance.join({ cpuUnits: 100_000, memoryMib: 100_000 });
  const all = started.move();
  return { world, instance, host, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** Runs this many tasks, which the host then runs. */
async function runTasks(world: World, host: ScriptedHost, count: number): Promise<string[]> {
  await world.register('job', { cpu: 10, memory: 10 });
  const { tasks } = await world.call('RunTask', { taskDefinition: 'job', count });
  await host.obey();
  return tasks.map(({ taskArn }) => idOf(taskArn));
}

const taskOf = async (world: World, task: string) => (await world.call('GetTask', { task })).task;

describe('a host whose instance was terminated', () => {
  it.each<StoreKind>(['sqlite', 'faulty-dynamodb'])(
    'ends with all of its tasks, each released once (%s)',
    async (store) => {
      await using started = await startWithInstance({ store });
      const { world, host } = started;
      const ids = await runTasks(world, host, 70);
      await world.call('StopTask', { task: ids[0], reason: 'not needed' });
      expect(await retireInstance(world.control.deps, instanceId, gone)).toBe(true);
      for (const id of [ids[0] ?? '', ids[69] ?? '']) {
        expect(await taskOf(world, id)).toMatchObject({
          lastStatus: 'STOPPED',
          desiredStatus: 'STOPPED',
          stopCode: 'TerminationNotice',
          stoppedReason: `Host EC2 (instance ${instanceId}) terminated.`,
        });
      }
      expect(await getHostCapacity(world.table, 'default', host.hostId)).toMatchObject({
        status: 'INACTIVE',
        connected: false,
        epoch: 2,
        freeCpuUnits: 100_000,
        freeMemoryMib: 100_000,
        taskCount: 0,
      });
      expect(await world.call('ListTasks', {})).toEqual({ taskArns: [] });
      expect((await world.call('ListTasks', { desiredStatus: 'STOPPED' })).taskArns).toHaveLength(70);
      expect(await breaches(world.table)).toEqual([]);
      expect(await retireInstance(world.control.deps, instanceId, gone)).toBe(false);
    },
  );

  it('is told so by no report: what comes late is history', async () => {
    await using started = await startWithInstance();
    const { world, host } = started;
    const [id = ''] = await runTasks(world, host, 1);
    await retireInstance(world.control.deps, instanceId, gone);
    const capacity = await getHostCapacity(world.table, 'default', host.hostId);
    host.end(id, 7);
    await host.report({ full: true });
    await host.heartbeat();
    expect(await taskOf(world, id)).toMatchObject({
      lastStatus: 'STOPPED',
      stopCode: 'TerminationNotice',
      containers: [{ exitCode: 7 }],
    });
    expect(await getHostCapacity(world.table, 'default', host.hostId)).toEqual(capacity);
    expect(await breaches(world.table)).toEqual([]);
  });

  it('is given nothing any more, nor its instance or key a new life', async () => {
    await using started = await startWithInstance();
    const { world, instance, host } = started;
    await retireInstance(world.control.deps, instanceId, gone);
    await world.register('job');
    const { failures, tasks } = await world.call('RunTask', { taskDefinition: 'job' });
    expect([failures, tasks]).toMatchObject([[], [{ lastStatus: 'PROVISIONING' }]]);
    await expect(instance.register(host)).rejects.toMatchObject({ code: 'AccessDeniedException' });
    await expect(instance.register(instance.host())).rejects.toMatchObject({ code: 'AccessDeniedException' });
    await world.call('StopTask', { task: idOf(tasks[0]?.taskArn) });
    expect(await world.call('DeleteCluster', { cluster: 'default' })).toMatchObject({
      cluster: { status: 'INACTIVE' },
    });
  });

  it('that never became a host is not admitted any more', async () => {
    await using world = await startWorld();
    await admitInstances(world.control.deps, 'default', [instanceId]);
    expect(await retireInstance(world.control.deps, instanceId, gone)).toBe(true);
    expect(await retireInstance(world.control.deps, instanceId, gone)).toBe(false);
  });
});

describe('a retirement that dies', () => {
  // Making it INACTIVE, three chunks of tasks, and the instance: five commits, each lost before it is made or after.
  const points = [1, 2, 3, 4, 5].flatMap((at) => [[at, 'before'] as const, [at, 'after'] as const]);

  it.each(points)('at commit %i, %s it, is carried on by another call', async (at, when) => {
    const death = new Death(at, when);
    await using started = await startWithInstance({ wrap: (table) => death.wrap(table) });
    const { world, host } = started;
    const ids = await runTasks(world, host, 70);
    death.arm();
    await expect(retireInstance(world.control.deps, instanceId, gone)).rejects.toThrow();
    expect(death.happened).toBe(true);
    const other = await world.another();
    await retireInstance(other.deps, instanceId, 'another reason');
    const { tasks } = await world.call('DescribeTasks', { tasks: ids }, { control: other });
    const wanted = at === 1 && when === 'before' ? 'another reason' : gone;
    expect(new Set(tasks.map(({ stoppedReason }) => stoppedReason))).toEqual(new Set([wanted]));
    expect(await getHostCapacity(world.table, 'default', host.hostId)).toMatchObject({
      taskCount: 0,
      freeCpuUnits: 100_000,
    });
    expect(await breaches(world.table)).toEqual([]);
  });

  it('is carried on by a loop, which later takes the host out of the list', async () => {
    const death = new Death(2, 'after');
    await using started = await startWithInstance({ wrap: (table) => death.wrap(table) });
    const { world, host } = started;
    const [id = ''] = await runTasks(world, host, 40);
    death.arm();
    const forced = { containerInstance: host.hostId, force: true };
    await expect(world.call('DeregisterContainerInstance', forced)).rejects.toThrow();
    const other = await world.another();
    await world.loop('bury-hosts', other);
    const { task } = await world.call('GetTask', { task: id }, { control: other });
    expect(task).toMatchObject({ stoppedReason: 'Container instance deregistration forced by user' });
    expect(await breaches(world.table)).toEqual([]);
    const listed = async () =>
      (await world.call('ListContainerInstances', { status: 'INACTIVE' }, { control: other })).containerInstanceArns;
    expect(await listed()).toHaveLength(1);
    world.advance(1800);
    await world.loop('bury-hosts', other);
    expect(await listed()).toEqual([]);
    // Its agent is still told that nothing is to run.
    host.control = other;
    expect(await host.fetch()).toMatchObject({ tasks: [] });
    expect(await host.fetch()).toBeUndefined();
    expect((await getHostIdentity(world.table, host.hostId))?.retired).toBeDefined();
  });
});

describe('DeregisterContainerInstance', () => {
  it('refuses a host with tasks unless it is forced, and tells a living agent to stop them', async () => {
    await using world = await startWorld();
    const host = await world.host();
    const [id = ''] = await runTasks(world, host, 1);
    const named = { containerInstance: host.hostId };
    await expect(world.call('DeregisterContainerInstance', named)).rejects.toMatchObject({
      code: 'InvalidParameterException',
      message: 'Found running tasks on the instance.',
    });
    expect(await world.call('DeregisterContainerInstance', { ...named, force: true })).toMatchObject({
      containerInstance: { status: 'INACTIVE', agentConnected: false, runningTasksCount: 0 },
    });
    expect(await taskOf(world, id)).toMatchObject({
      lastStatus: 'STOPPED',
      stopCode: 'UserInitiated',
      stoppedReason: 'Container instance deregistration forced by user',
    });
    // What its heartbeat is answered makes the agent fetch, and what it fetches makes it stop everything.
    expect(await host.heartbeat()).not.toBe(host.etag);
    expect(await host.fetch()).toMatchObject({ tasks: [] });
    expect(await host.heartbeat()).toBe(host.etag);
    expect(await breaches(world.table)).toEqual([]);
  });

  it('ends an idle host, whose name is free then and whose key is not admitted again', async () => {
    await using world = await startWorld();
    const host = await world.host({ name: 'alpha' });
    expect(await world.call('DeregisterContainerInstance', { containerInstance: 'alpha' })).toMatchObject({
      containerInstance: { status: 'INACTIVE' },
    });
    // Asked again: it is as it was asked for.
    await world.call('DeregisterContainerInstance', { containerInstance: host.hostId });
    const token = await world.control.joinTokens.create({ cluster: 'default', reusable: true });
    await expect(host.register(token)).rejects.toMatchObject({ status: 403, code: 'AccessDeniedException' });
    const next = await new ScriptedHost(world.control, { name: 'alpha' }).join(token);
    expect(next.hostId).not.toBe(host.hostId);
    expect((await hostView(world, 'alpha')).status).toBe('ACTIVE');
    await world.loop('bury-hosts');
    world.advance(1800);
    await world.loop('bury-hosts');
    expect((await hostView(world, 'alpha')).containerInstanceArn).toContain(next.hostId);
  });

  it('frees its instance for AdmitInstances, and only so for another key', async () => {
    await using started = await startWithInstance();
    const { world, instance, host } = started;
    await world.call('DeregisterContainerInstance', { containerInstance: instanceId });
    await expect(instance.register(instance.host())).rejects.toMatchObject({ code: 'ConflictException' });
    const admitted = await world.call('AdmitInstances', { instanceIds: [instanceId] });
    expect(admitted).toEqual({ instances: [{ instanceId }] });
    const next = await instance.join();
    expect(next.hostId).not.toBe(host.hostId);
    expect((await world.call('GetHosts', {})).hosts).toHaveLength(1);
  });

  it('says what it does not know', async () => {
    await using world = await startWorld();
    const call = world.call('DeregisterContainerInstance', { containerInstance: 'nobody' });
    await expect(call).rejects.toMatchObject({ code: 'InvalidParameterException', field: 'containerInstance' });
  });

  it('leaves nothing on a host that a RunTask was placing on meanwhile', async () => {
    await using world = await startWorld();
    const host = await world.host({ cpuUnits: 100_000, memoryMib: 100_000 });
    await world.register('job', { cpu: 10, memory: 10 });
    const runs = Array.from({ length: 12 }, () => world.call('RunTask', { taskDefinition: 'job', count: 5 }));
    const retired = world.call('DeregisterContainerInstance', { containerInstance: host.hostId, force: true });
    await Promise.all([...runs, retired]);
    await world.loop('bury-hosts');
    expect(await breaches(world.table)).toEqual([]);
    expect(await getHostCapacity(world.table, 'default', host.hostId)).toMatchObject({ taskCount: 0 });
  });
});

describe('a draining host', () => {
  it('is given nothing, keeps what it runs, and is given tasks again when it is ACTIVE', async () => {
    await using world = await startWorld();
    const host = await world.host();
    const [id = ''] = await runTasks(world, host, 1);
    const change = (status: string) =>
      world.call('UpdateContainerInstancesState', { containerInstances: [host.hostId, 'nobody'], status });
    expect(await change('DRAINING')).toMatchObject({
      containerInstances: [{ status: 'DRAINING' }],
      failures: [{ reason: 'MISSING' }],
    });
    const { tasks } = await world.call('RunTask', { taskDefinition: 'job' });
    expect(tasks).toMatchObject([{ lastStatus: 'PROVISIONING' }]);
    expect((await taskOf(world, id)).lastStatus).toBe('RUNNING');
    await change('ACTIVE');
    await world.control.loops.idle();
    expect((await taskOf(world, idOf(tasks[0]?.taskArn))).lastStatus).toBe('PENDING');
  });

  it('is not changed by a wrong request', async () => {
    await using world = await startWorld();
    const host = await world.host();
    const change = (containerInstances: string[], status = 'DRAINING') =>
      world.call('UpdateContainerInstancesState', { containerInstances, status });
    await expect(change([host.hostId], 'INACTIVE')).rejects.toMatchObject({
      message: 'Container instance status should be one of [ACTIVE, DRAINING]',
    });
    await expect(change([])).rejects.toMatchObject({ message: 'Container Instances cannot be empty.' });
    await expect(change(Array.from({ length: 11 }, () => host.hostId))).rejects.toMatchObject({
      message: 'containerInstances may name at most 10.',
    });
    expect((await hostView(world)).status).toBe('ACTIVE');
    await retireHost(world.control.deps, host.hostId, { reason: 'gone', stopCode: 'TerminationNotice' });
    expect(await change([host.hostId], 'ACTIVE')).toMatchObject({ containerInstances: [], failures: [{}] });
    expect((await hostView(world)).status).toBe('INACTIVE');
  });

  it('is emptied step by step: its tasks are asked to stop once the deadline has passed', async () => {
    await using world = await startWorld();
    const host = await world.host();
    const [id = ''] = await runTasks(world, host, 1);
    const options = { deadline: world.now() + 60_000, reason: 'The host is going away.' };
    const step = () => drainHost(world.control.deps, { cluster: 'default', hostId: host.hostId }, options);
    expect(await step()).toEqual({ remaining: 1 });
    expect((await taskOf(world, id)).desiredStatus).toBe('RUNNING');
    world.advance(60);
    expect(await step()).toEqual({ remaining: 1 });
    expect(await taskOf(world, id)).toMatchObject({
      desiredStatus: 'STOPPED',
      stoppedReason: 'The host is going away.',
    });
    await host.obey();
    expect(await step()).toEqual({ remaining: 0 });
    expect((await hostView(world)).status).toBe('DRAINING');
  });
});
