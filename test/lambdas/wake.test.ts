import { describe, expect, it } from 'vitest';
import { keys } from '../../control/store/keys.ts';
import type { Item } from '../../control/store/table.ts';
import { noFleet } from '../../lambdas/wake/ask-fleet.ts';
import { clusterToLookAt } from '../../lambdas/wake/clusters-to-look-at.ts';
import { createWakeHandler } from '../../lambdas/wake/handler.ts';
import { idOf, startWorld, type World } from '../control/support/world.ts';
import { lambdaContext, poisoned, streamEvent } from './support/events.ts';

const item = (pk: string, data: Item['data'] = {}): Item => ({ pk, sk: 'x', v: 1, data });

const host = (changes: Item['data'] = {}): Item =>
  item('hosts#default#3', {
    hostId: 'h',
    cluster: 'default',
    name: 'host-1',
    status: 'ACTIVE',
    epoch: 1,
    reportedEpoch: 1,
    connected: true,
    connectedChangedAt: 1,
    generation: 1,
    totalCpuUnits: 1024,
    totalMemoryMib: 1024,
    freeCpuUnits: 512,
    freeMemoryMib: 512,
    ports: { 'tcp/80': 't' },
    groups: { 'family:web': 1 },
    taskCount: 1,
    attributes: { zone: 'a' },
    ...changes,
  });

describe('which cluster a change concerns', () => {
  it.each<[what: string, before: Item | undefined, after: Item | undefined, cluster: string | undefined]>([
    ['a task that begins to wait', undefined, item('waiting#blue#1'), 'blue'],
    [
      'a new explanation of one that waits',
      item('waiting#blue#1'),
      item('waiting#blue#1', { sentence: 's' }),
      undefined,
    ],
    ['a task that waits no more', item('waiting#blue#1'), undefined, undefined],
    ['a host that reports for the first time', host({ reportedEpoch: 0 }), host(), 'default'],
    ['a host that is heard again', host({ connected: false }), host(), 'default'],
    ['a host that is no longer draining', host({ status: 'DRAINING' }), host(), 'default'],
    ['memory given back', host({ freeMemoryMib: 256 }), host(), 'default'],
    ['processor given back', host({ freeCpuUnits: 0 }), host(), 'default'],
    ['a port given back', host({ ports: { 'tcp/80': 't', 'udp/53': 'u' } }), host(), 'default'],
    ['the last task of a group gone', host({ groups: { 'family:web': 1, 'family:db': 1 } }), host(), 'default'],
    ['another attribute', host({ attributes: {} }), host(), 'default'],
    ['capacity taken', host({ freeMemoryMib: 1024, ports: {} }), host(), undefined],
    ['a host that falls silent', host(), host({ connected: false }), undefined],
    [
      'capacity given back on a host that drains',
      host({ status: 'DRAINING' }),
      host({ status: 'DRAINING', freeMemoryMib: 1024 }),
      undefined,
    ],
    ['a desired set that changed', host(), host({ generation: 2 }), undefined],
    ['a task', undefined, item('task#1'), undefined],
    ['a cluster that is named as a list is', undefined, item('clusters'), undefined],
  ])('%s', (_, before, after, cluster) => {
    expect(clusterToLookAt({ before, after })).toBe(cluster);
  });
});

describe('the function', () => {
  /** Tasks that wait and a host with room for two of them, which nobody has told the control plane's loops of. */
  async function waitingWorld(): Promise<{ world: World; batch: ReturnType<typeof streamEvent>; taskIds: string[] }> {
    const world = await startWorld({ store: 'dynamodb' });
    await world.register('web', { memory: 1024 });
    const { tasks } = await world.call('RunTask', { taskDefinition: 'web', count: 3 });
    await world.control.loops.idle();
    await world.control.loops.stop();
    const joined = await world.host({ memoryMib: 2048 });
    const capacity = await world.table.get(keys.hostCapacity('default', joined.hostId));
    const before: Item | undefined = capacity && { ...capacity, data: { ...capacity.data, reportedEpoch: 0 } };
    const taskIds = tasks.map(({ taskArn }) => idOf(taskArn));
    return { world, batch: streamEvent([{ before, after: capacity }]), taskIds };
  }
  const statuses = async (world: World, tasks: readonly string[]) =>
    (await world.call('DescribeTasks', { tasks: [...tasks] })).tasks.map(({ lastStatus }) => lastStatus).toSorted();

  it('places what fits, once however often the batch comes', async () => {
    const { world, batch, taskIds } = await waitingWorld();
    await using _ = world;
    expect(await statuses(world, taskIds)).toEqual(['PROVISIONING', 'PROVISIONING', 'PROVISIONING']);
    const handle = createWakeHandler(world.control.deps, noFleet);
    for (const event of [batch, batch, streamEvent([])])
      expect(await handle(event, lambdaContext())).toEqual({ batchItemFailures: [] });
    expect(await statuses(world, taskIds)).toEqual(['PENDING', 'PENDING', 'PROVISIONING']);
  });

  it('names the records that nobody can read, and does the others', async () => {
    const { world, batch, taskIds } = await waitingWorld();
    await using _ = world;
    const unknown = streamEvent([{ after: { ...host(), v: 1, data: { hostId: 'h' } } }]).Records;
    const event = poisoned({ Records: [{}, ...unknown, ...batch.Records].map(renumbered) }, 1);
    expect(await createWakeHandler(world.control.deps, noFleet)(event, lambdaContext())).toEqual({
      batchItemFailures: [{ itemIdentifier: '1' }, { itemIdentifier: '2' }],
    });
    expect(await statuses(world, taskIds)).toEqual(['PENDING', 'PENDING', 'PROVISIONING']);
  });

  it('has the records of a cluster tried again where the store fails, and only those', async () => {
    const { world, batch } = await waitingWorld();
    await using _ = world;
    const broken = { ...world.table, query: (pk: string) => Promise.reject(new Error(`no ${pk}`)) };
    const event = {
      Records: [...batch.Records, ...streamEvent([{ after: item('clusters') }]).Records].map(renumbered),
    };
    const handle = createWakeHandler({ ...world.control.deps, table: broken }, noFleet);
    expect(await handle(event, lambdaContext())).toEqual({
      batchItemFailures: [{ itemIdentifier: '1' }],
    });
  });
});

/** In the order of the list. */
const renumbered = (record: object, index: number): object => {
  const { dynamodb = {} }: { dynamodb?: object } = record;
  return { ...record, dynamodb: { ...dynamodb, SequenceNumber: `${index + 1}` } };
};
