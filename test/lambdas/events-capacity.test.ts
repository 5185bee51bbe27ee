/** What the event bus is told of capacity: from the changes that the control plane itself makes, as the stream would bring them. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { drainInstance } from '../../control/hosts/drain-instance.ts';
import { retireHost } from '../../control/hosts/retire.ts';
import { createEventIds } from '../../control/store/event-ids.ts';
import { keys } from '../../control/store/keys.ts';
import type { Change, Item, Table } from '../../control/store/table.ts';
import { createEventsHandler, type TimedEvent } from '../../lambdas/events/handler.ts';
import { CapacitySim, type Process, type SimOptions } from '../control/support/capacity-sim.ts';
import { interceptCommits } from '../control/support/intercepted-table.ts';
import { poisoned, streamEvent } from './support/events.ts';

type Images = { readonly before: Item | undefined; readonly after: Item | undefined };

let sim: CapacitySim;
/** What was written of purchases and drains, in order. */
let stream: Images[];

beforeEach(() => {
  stream = [];
});
afterEach(() => sim[Symbol.asyncDispose]());

const isAboutCapacity = (pk: string): boolean => /^(past-)?purchases#|^drains#/.test(pk);
const keyOf = (change: Change) => ('item' in change ? { pk: change.item.pk, sk: change.item.sk } : change.key);

/** Keeps the images of what passes through it. */
const recording = (table: Table): Table =>
  interceptCommits(table, async (changes, forward) => {
    const touched = changes.map(keyOf).filter(({ pk }) => isAboutCapacity(pk));
    const before = await Promise.all(touched.map((key) => table.get(key)));
    const result = await forward(changes);
    const after = await Promise.all(touched.map((key) => table.get(key)));
    if (result.outcome === 'done')
      stream.push(...touched.map((_, index) => ({ before: before[index], after: after[index] })));
    return result;
  });

async function start(options: SimOptions = {}): Promise<Process> {
  sim = await CapacitySim.start(options);
  return sim.process({ table: recording(sim.table), fleet: sim.fleet });
}

/** The events of what was written since it was asked last. */
async function tell(batch = streamEvent(stream.splice(0)), failures: readonly string[] = []) {
  const told: TimedEvent[] = [];
  const { realm, recent, log } = sim.client.deps;
  const handle = createEventsHandler({
    realm,
    recent,
    log,
    table: sim.table,
    now: sim.now,
    nextId: createEventIds(sim.now, '00000000'),
    retentionSeconds: 3600,
    put: async (events) => {
      told.push(...events);
      return [];
    },
  });
  const { batchItemFailures } = await handle(batch);
  expect(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)).toEqual(failures);
  return told.map(({ detail, ...event }) => ({ ...event, detail: JSON.parse(detail) }));
}

const changes = (events: Awaited<ReturnType<typeof tell>>) => events.map(({ detail }) => detail.change);

describe('events of a purchase', () => {
  it('tell its whole life, each with the version that it had then', async () => {
    const loop = await start();
    const ids = await sim.runTasks(2);
    await loop.run('buy-capacity');
    const bought = await tell();
    expect(changes(bought)).toEqual(['ordered', 'launched']);
    const [instance] = sim.fleet.instances.keys();
    expect(bought[0]).toMatchObject({
      detailType: 'Gantry Capacity Change',
      resources: [
        'arn:aws:ecs:us-east-1:000000000000:cluster/default',
        'arn:aws:ecs:us-east-1:000000000000:capacity-provider/pool',
      ],
      at: 4102444800_000,
      detail: {
        state: 'OPEN',
        market: 'on-demand',
        count: 1,
        instanceTypes: ['small'],
        why: expect.any(String),
        taskArns: ids.toSorted().map((id) => `arn:aws:ecs:us-east-1:000000000000:task/default/${id}`),
        orderedAt: '2100-01-01T00:00:00.000Z',
        version: 1,
      },
    });
    expect(bought[1]?.detail).toMatchObject({
      orderId: bought[0]?.detail.orderId,
      instances: [{ ec2InstanceId: instance, instanceType: 'small', availabilityZone: 'zone-a', hourlyUsd: 0.1 }],
      version: 2,
    });

    await sim.moveHosts();
    await sim.moveHosts();
    await loop.run('buy-capacity');
    expect(changes(await tell())).toEqual(['joined']);

    await sim.finish(ids);
    await loop.run('buy-capacity');
    expect(await tell(), 'that a host is empty is no news').toEqual([]);
    sim.advance(61);
    await loop.run('buy-capacity');
    const gone = await tell();
    expect(changes(gone)).toEqual(['ending', 'ended', 'closed']);
    expect(gone[0]?.detail.instances).toMatchObject([{ ec2InstanceId: instance, reason: expect.any(String) }]);
    expect(gone[1]?.detail.instances).toMatchObject([{ ec2InstanceId: instance }]);
    expect(gone.map(({ detail }) => detail.state)).toEqual(['LAUNCHED', 'CLOSED', 'CLOSED']);
    const versions = [...bought, ...gone].map(({ detail }) => detail.version);
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
  });

  it('say why nothing was launched, and why less than was ordered', async () => {
    const loop = await start({ fleet: { mostInstances: 0 } });
    await sim.runTasks(1);
    await loop.run('buy-capacity');
    const none = await tell();
    expect(changes(none)).toEqual(['ordered', 'failed', 'closed']);
    expect(none[1]?.detail.reason).toMatch(/At most 0 instances/);

    await sim[Symbol.asyncDispose]();
    const other = await start({ fleet: { mostInstances: 1 } });
    await sim.runTasks(40);
    await other.run('buy-capacity');
    const some = await tell();
    expect(changes(some)).toContain('launched');
    const failed = some.find(({ detail }) => detail.change === 'failed');
    expect(failed?.detail.reason).toMatch(/At most 1 instances/);
  });

  it('are the same however often they come, and none when it is forgotten', async () => {
    const loop = await start({ fleet: { mostInstances: 0 } });
    await sim.runTasks(1);
    await loop.run('buy-capacity');
    const images = stream.splice(0);
    expect(await tell(streamEvent(images))).toEqual(await tell(streamEvent(images)));
    const past = images.flatMap(({ after }) => (after?.pk.startsWith('past-') ? [after] : []));
    expect(past).toHaveLength(1);
    expect(await tell(streamEvent(past.map((before) => ({ before, after: undefined }))))).toEqual([]);
  });

  it('that cannot be read are tried again, and the others told', async () => {
    const loop = await start();
    await sim.runTasks(1);
    await loop.run('buy-capacity');
    const [ordered, launched] = stream.splice(0);
    const broken = ordered?.after && { ...ordered.after, data: { order: {} } };
    const batch = streamEvent([{ after: broken }, { ...launched }]);
    expect(changes(await tell(batch, ['1']))).toEqual(['launched']);
    expect(await tell(poisoned(batch, 2), ['2', '1'])).toEqual([]);
  });
});

describe('events of a drain', () => {
  it('tell that it begins, that its deadline has come nearer, and that it is over', async () => {
    const loop = await start();
    const ids = await sim.runTasks(2);
    await loop.run('buy-capacity');
    await sim.moveHosts();
    await sim.moveHosts();
    await loop.run('buy-capacity');
    await tell();
    const [instanceId = ''] = sim.fleet.instances.keys();
    const hostId = sim.hosts.get(instanceId)?.hostId ?? '';
    const at = sim.now();
    const reason = 'EC2 takes the spot instance back.';
    await drainInstance(loop.deps, instanceId, { stopCode: 'SpotInterruption', reason });
    const [begun, ...others] = await tell();
    expect(others).toEqual([]);
    expect(begun).toMatchObject({
      detailType: 'Gantry Host Drain',
      resources: [`arn:aws:ecs:us-east-1:000000000000:container-instance/default/${hostId}`],
      detail: { change: 'begun', purpose: 'notice', reason, stopCode: 'SpotInterruption' },
    });
    expect(begun?.detail).not.toHaveProperty('deadline');

    await drainInstance(loop.deps, instanceId, { deadline: at + 90_000, stopCode: 'SpotInterruption', reason });
    const nearer = await tell();
    expect(nearer).toMatchObject([{ detail: { change: 'changed', deadline: '2100-01-01T00:01:30.000Z' } }]);

    await sim.finish(ids);
    await retireHost(loop.deps, hostId, { reason, stopCode: 'TerminationNotice' });
    await loop.run('drain-hosts');
    const over = (await tell()).filter(({ detailType }) => detailType === 'Gantry Host Drain');
    expect(over).toMatchObject([{ detail: { change: 'ended', reason } }]);
  });

  it('are none where nothing of it changed', async () => {
    await start();
    const drain = { cluster: 'default', hostId: 'h', purpose: 'notice', stopCode: 'SpotInterruption' };
    const key = keys.drain('default', 'h');
    const item: Item = { ...key, v: 1, data: { ...drain, reason: 'It goes.', startedAt: 1 } };
    expect(await tell(streamEvent([{ before: item, after: item }]))).toEqual([]);
  });
});
