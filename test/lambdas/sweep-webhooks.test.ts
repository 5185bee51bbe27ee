/** Webhooks on AWS: made by `api`, whose store's stream `events` writes down, and sent by `sweep`. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ControlDeps } from '../../control/deps.ts';
import { createSecretBox } from '../../control/keys/secret-box.ts';
import { createEventIds } from '../../control/store/event-ids.ts';
import { keys } from '../../control/store/keys.ts';
import { createEventsHandler } from '../../lambdas/events/handler.ts';
import { createSweepHandler } from '../../lambdas/sweep/handler.ts';
import { eventsIn, startReceiver, type TestReceiver } from '../control/support/receiver.ts';
import { idOf, startWorld, type World } from '../control/support/world.ts';
import { lambdaContext, streamEvent } from './support/events.ts';

const settleMs = 5000;
const box = createSecretBox(new Uint8Array(32));

let world: World;
let receiver: TestReceiver;
let api: ControlDeps;

beforeAll(async () => {
  world = await startWorld({ store: 'dynamodb', settings: { webhookAddresses: 'private', heartbeatSeconds: 60 } });
  receiver = await startReceiver();
  const journal = { isKept: true, settleMs, nextId: createEventIds(world.now, 'aaaaaaaa') };
  api = { ...world.control.deps, journal, secretBox: box, activate: () => {} };
  await world.register('web');
  await world.control.loops.stop();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

const as = (deps: ControlDeps) => ({ control: { ...world.control, deps } });

/** Starts a task, and has the function `events` hear of it. */
async function run(more: object = {}): Promise<string> {
  const { tasks } = await world.call('RunTask', { taskDefinition: 'web', ...more });
  const task = idOf(tasks[0]?.taskArn);
  const { realm, recent, log } = world.control.deps;
  const { now, table } = world;
  const put = async () => [];
  const nextId = createEventIds(now, 'bbbbbbbb');
  const handle = createEventsHandler({ realm, recent, log, table, now, put, nextId, retentionSeconds: 600 });
  await handle(streamEvent([{ after: await world.table.get(keys.task(task)) }]));
  return task;
}

let opened = 0;

function sweep() {
  const deps = {
    ...api,
    secretBox: undefined,
    laterSecretBox: async () => {
      opened += 1;
      return box;
    },
    sleep: async (ms: number) => world.advance(ms / 1000),
  };
  return createSweepHandler(deps)({ time: new Date(world.now()).toISOString() }, lambdaContext());
}

it('are sent what has settled, by a sweep that needs the key for nothing else', async () => {
  await sweep();
  expect(opened).toBe(0);
  const { webhook } = await world.call('CreateWebhook', { url: receiver.url, kind: ['task'] }, as(api));
  world.advance(1);
  const first = await run();
  const writtenAt = world.now();
  expect(await sweep()).toMatchObject({ failed: 0 });
  expect(receiver.received.flatMap(eventsIn).map(({ resources }) => idOf(resources[0]))).toEqual([first]);
  const sentAt = Number(receiver.received[0]?.headers['webhook-timestamp']) * 1000;
  expect(sentAt).toBeGreaterThan(writtenAt + settleMs);
  expect(opened).toBe(1);
  const { webhook: seen } = await world.call('GetWebhook', { webhook: webhook.webhookId }, as(api));
  expect(seen).toMatchObject({ failures: 0, waitingEvents: 0 });
});

it('hold up no other loop while their receivers hang', async () => {
  const hanging = Promise.withResolvers<{ status: number }>();
  receiver.answers(() => hanging.promise);
  const task = await run({ placementTimeoutSeconds: 60 });
  // Its deadline comes while the sweep lasts.
  world.advance(40);
  const sweeping = sweep();
  await receiver.arrived(2);
  // Others look again while this one waits.
  for (;;) {
    const { tasks } = await world.call('DescribeTasks', { tasks: [task] });
    if (tasks[0]?.lastStatus === 'STOPPED') break;
  }
  hanging.resolve({ status: 200 });
  expect(await sweeping).toMatchObject({ failed: 0 });
});
