import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEventIds } from '../../control/store/event-ids.ts';
import { keys } from '../../control/store/keys.ts';
import type { Item } from '../../control/store/table.ts';
import { createEventsHandler, type EventsDeps, type TimedEvent } from '../../lambdas/events/handler.ts';
import type { ScriptedHost } from '../control/support/scripted-host.ts';
import { idOf, startWorld, type World } from '../control/support/world.ts';
import { poisoned, streamEvent } from './support/events.ts';

let world: World;
let host: ScriptedHost;
/** Images of one task from its creation to its end. */
const life: Item[] = [];

beforeAll(async () => {
  world = await startWorld({ store: 'dynamodb' });
  await world.register('web');
  host = await world.host();
  const { tasks } = await world.call('RunTask', { taskDefinition: 'web', startedBy: 'test' });
  const id = idOf(tasks[0]?.taskArn);
  const remember = async (): Promise<void> => {
    const image = await world.table.get(keys.task(id));
    if (image !== undefined) life.push(image);
  };
  await remember();
  for (const step of [() => host.obey(), () => world.call('StopTask', { task: id }), () => host.obey()]) {
    await step();
    await remember();
  }
});
afterAll(() => world[Symbol.asyncDispose]());

/** A handler, and what it has told. */
function telling(put: EventsDeps['put'] = async () => []) {
  const told: TimedEvent[][] = [];
  const { realm, recent, log } = world.control.deps;
  const handle = createEventsHandler({
    realm,
    recent,
    log,
    table: world.table,
    now: world.now,
    nextId: createEventIds(world.now, '00000000'),
    retentionSeconds: 3600,
    put: (events) => {
      told.push([...events]);
      return put(events);
    },
  });
  return { handle, told, details: () => told.flat().map(({ detail }) => JSON.parse(detail)) };
}

const lifeBatch = () => streamEvent(life.map((after, index) => ({ before: life[index - 1], after })));

describe('events of a task', () => {
  it('have the shape of ECS, in order, each with a greater version', async () => {
    const { handle, told, details } = telling();
    expect(await handle(lifeBatch())).toEqual({ batchItemFailures: [] });
    expect(details().map(({ lastStatus, desiredStatus }) => [lastStatus, desiredStatus])).toEqual([
      ['PENDING', 'RUNNING'],
      ['RUNNING', 'RUNNING'],
      ['RUNNING', 'STOPPED'],
      ['STOPPED', 'STOPPED'],
    ]);
    const versions = details().map(({ version }) => version);
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
    expect(new Set(versions).size).toBe(versions.length);
    expect(told[0]?.[3]).toMatchObject({ detailType: 'ECS Task State Change', at: 4102444800_000 });
    expect(details()[3]).toMatchObject({
      clusterArn: 'arn:aws:ecs:us-east-1:000000000000:cluster/default',
      taskDefinitionArn: 'arn:aws:ecs:us-east-1:000000000000:task-definition/web:1',
      startedBy: 'test',
      stopCode: 'UserInitiated',
      createdAt: new Date(world.now()).toISOString(),
      updatedAt: '2100-01-01T00:00:00.000Z',
      containers: [{ name: 'app', lastStatus: 'STOPPED', exitCode: 143 }],
    });
  });

  it('are the same when a batch comes again, whatever happened since', async () => {
    const { handle, told } = telling();
    await handle(lifeBatch());
    world.advance(60);
    await handle(lifeBatch());
    expect(told[1]).toEqual(told[0]);
  });

  it('are none where nothing of it changed, and none when it is forgotten', async () => {
    const { handle, told } = telling();
    const [first] = life;
    const observed = first && { ...first, data: { ...first.data, version: 99 } };
    await handle(
      streamEvent([
        { before: first, after: observed },
        { before: first, after: undefined },
      ]),
    );
    expect(told).toEqual([]);
  });
});

describe('events of a host', () => {
  const capacity = async (changes: Item['data'] = {}): Promise<Item> => {
    const image = await world.table.get(keys.hostCapacity('default', host.hostId));
    if (image === undefined) throw new Error('the host has no capacity');
    return { ...image, data: { ...image.data, ...changes } };
  };

  it('tell when it is not heard any more, with a greater version', async () => {
    const { handle, told, details } = telling();
    const before = await capacity();
    const after = await capacity({ connected: false, connectedChangedAt: world.now() + 1 });
    await handle(streamEvent([{ after: before }, { before, after }]));
    expect(told[0]?.[1]).toMatchObject({
      detailType: 'ECS Container Instance State Change',
      resources: [`arn:aws:ecs:us-east-1:000000000000:container-instance/default/${host.hostId}`],
    });
    expect(details().map(({ agentConnected, status }) => [agentConnected, status])).toEqual([
      [true, 'ACTIVE'],
      [false, 'ACTIVE'],
    ]);
    expect(details()[1].version).toBeGreaterThan(details()[0].version);
  });

  it('do not tell of what its tasks take and give back', async () => {
    const { handle, told } = telling();
    await handle(
      streamEvent([{ before: await capacity({ freeMemoryMib: 0, generation: 0 }), after: await capacity() }]),
    );
    expect(told).toEqual([]);
  });

  it('are dropped for a host that is forgotten', async () => {
    const { handle, told } = telling();
    expect(await handle(streamEvent([{ after: await capacity({ hostId: 'f'.repeat(32) }) }]))).toEqual({
      batchItemFailures: [],
    });
    expect(told).toEqual([]);
  });
});

describe('what the bus does not take', () => {
  const many = (count: number) => streamEvent(Array.from({ length: count }, () => ({ after: life[0] })));

  it('is told in calls of ten, and only what was refused is tried again', async () => {
    const { handle, told } = telling(async (events) => (events.length === 10 ? [3] : []));
    const { batchItemFailures } = await handle(many(25));
    expect(told.map(({ length }) => length)).toEqual([10, 10, 5]);
    expect(batchItemFailures).toEqual([{ itemIdentifier: '4' }, { itemIdentifier: '14' }]);
  });

  it('is tried again whole where the call fails', async () => {
    const { handle } = telling(() => Promise.reject(new Error('the bus is away')));
    expect((await handle(many(2))).batchItemFailures).toEqual([{ itemIdentifier: '1' }, { itemIdentifier: '2' }]);
  });

  it('includes what cannot be read and what has no revision, and the rest is told', async () => {
    const { handle, told } = telling();
    const lost = life[0] && { ...life[0], data: { ...life[0].data, revision: 7 } };
    const batch = poisoned(streamEvent([{ after: life[0] }, { after: life[0] }, { after: lost }]), 1);
    expect((await handle(batch)).batchItemFailures).toEqual([{ itemIdentifier: '1' }, { itemIdentifier: '3' }]);
    expect(told.flat()).toHaveLength(1);
  });
});
