/** Events as the function `events` writes them down from the table's stream, read through ListEvents of the function `api`. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ControlDeps } from '../../control/deps.ts';
import { callOperation } from '../../control/http/call.ts';
import { handlers } from '../../control/operations/registry.ts';
import { createEventIds } from '../../control/store/event-ids.ts';
import { keys } from '../../control/store/keys.ts';
import type { Item, Table } from '../../control/store/table.ts';
import type { Output } from '../../core/api/operations.ts';
import { everyRight } from '../../core/model/rights.ts';
import { createEventsHandler, type TimedEvent } from '../../lambdas/events/handler.ts';
import { interceptCommits } from '../control/support/intercepted-table.ts';
import { idOf, startWorld, type World } from '../control/support/world.ts';
import { streamEvent } from './support/events.ts';

const settleMs = 5000;

let world: World;
let api: ControlDeps;
let task: string;
/** Images of the task from its creation to its end. */
const life: Item[] = [];

beforeAll(async () => {
  world = await startWorld({ store: 'dynamodb' });
  api = { ...world.control.deps, journal: { isKept: true, settleMs, nextId: createEventIds(world.now, 'aaaaaaaa') } };
  await world.register('web');
  const host = await world.host();
  const { tasks } = await world.call('RunTask', { taskDefinition: 'web' });
  task = idOf(tasks[0]?.taskArn);
  for (const step of [
    () => host.fetch(),
    () => host.obey(),
    () => world.call('StopTask', { task }),
    () => host.obey(),
  ]) {
    await step();
    const image = await world.table.get(keys.task(task));
    if (image !== undefined) life.push(image);
  }
});
afterAll(() => world[Symbol.asyncDispose]());

const call = async (input: object): Promise<Output<'ListEvents'>> => {
  const principal = { arn: 'arn:aws:iam::000000000000:user/test', ...everyRight };
  const context = { deps: api, principal, requestId: 'request-1' };
  return (await callOperation('ListEvents', handlers, context, { order: 'oldest', ...input })) as Output<'ListEvents'>;
};
const statuses = ({ events }: Output<'ListEvents'>) => events.map(({ detail }) => detail.lastStatus);

function eventsFunction(table: Pick<Table, 'commit'> = world.table) {
  const { realm, recent, log } = world.control.deps;
  const nextId = createEventIds(world.now, 'bbbbbbbb');
  const told: TimedEvent[] = [];
  const handle = createEventsHandler({
    realm,
    recent,
    log,
    table,
    now: world.now,
    nextId,
    retentionSeconds: 600,
    put: async (events) => {
      told.push(...events);
      return [];
    },
  });
  return { handle, told };
}

const lifeBatch = () => streamEvent(life.map((after, index) => ({ before: life[index - 1], after })));

describe('what the stream brings', () => {
  it('is written down once however often it comes, and found once it has settled', async () => {
    const { handle } = eventsFunction();
    expect(await handle(lifeBatch())).toEqual({ batchItemFailures: [] });
    const seen = ['PENDING', 'RUNNING', 'RUNNING', 'STOPPED'];
    expect(statuses(await call({ order: 'newest' }))).toEqual(seen.toReversed());
    expect(await call({})).toEqual({ events: [] });
    world.advance(settleMs / 1000 + 1);
    const first = await call({});
    expect(statuses(first)).toEqual(seen);
    expect(statuses(await call({ task }))).toEqual(seen);
    await eventsFunction().handle(lifeBatch());
    world.advance(settleMs / 1000 + 1);
    expect(await call({})).toEqual(first);
    expect((await call({ after: first.resumeAfter })).events).toEqual([]);
  });

  it('comes again where it could not be written down, and is not told before', async () => {
    const { handle, told } = eventsFunction({ commit: () => Promise.reject(new Error('throttled')) });
    const { batchItemFailures } = await handle(lifeBatch());
    expect(batchItemFailures).toHaveLength(4);
    expect(told).toEqual([]);
  });
});

describe('a refusal', () => {
  it('that the API writes down is put on the bus by the stream, as it is', async () => {
    const principal = { arn: 'arn:aws:iam::000000000000:user/test', ...everyRight };
    const written: Item[] = [];
    const table = interceptCommits(world.table, (changes, forward) => {
      written.push(...changes.flatMap((change) => (change.kind === 'put' ? change.item : [])));
      return forward(changes);
    });
    const context = { deps: { ...api, table }, principal, requestId: 'request-2' };
    const input = { taskDefinition: 'web', launchType: 'EC2', overrides: { memory: '65536' } };
    await callOperation('RunTask', handlers, context, input);
    const { events } = await call({ order: 'newest', kind: ['refusal'] });
    expect(events).toHaveLength(1);
    const { handle, told } = eventsFunction();
    await handle(streamEvent(written.map((after) => ({ after }))));
    expect(told).toMatchObject([{ detailType: 'Gantry Placement Refused', resources: events[0]?.resources }]);
    expect(JSON.parse(told[0]?.detail ?? '')).toEqual(events[0]?.detail);
  });
});
