/** Webhooks of a control plane in one process, as their receivers see them. */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSecretBox } from '../../control/keys/secret-box.ts';
import { keys } from '../../control/store/keys.ts';
import { interceptCommits } from './support/intercepted-table.ts';
import { eventsIn, startReceiver, type TestReceiver } from './support/receiver.ts';
import type { ScriptedHost } from './support/scripted-host.ts';
import { idOf, startWorld, type World } from './support/world.ts';

let world: World;
let host: ScriptedHost;
let receiver: TestReceiver;

beforeEach(async () => {
  world = await startWorld({ settings: { webhookAddresses: 'private' } });
  await world.register('web');
  host = await world.host();
  world.advance(1);
  receiver = await startReceiver();
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

const create = async (more: object = {}) => world.call('CreateWebhook', { url: receiver.url, ...more });
const view = async (webhook: string) => (await world.call('GetWebhook', { webhook })).webhook;
const settled = () => world.control.loops.idle();
const storedIds = async (input: object = {}) =>
  (await world.call('ListEvents', { order: 'oldest', ...input })).events.map(({ id }) => id);
/** Of one request. */
const eventsOf = (index: number) => receiver.received.slice(index, index + 1).flatMap(eventsIn);
const since = '2100-01-01T00:00:01Z';

async function run(): Promise<string> {
  const { tasks } = await world.call('RunTask', { taskDefinition: 'web' });
  return idOf(tasks[0]?.taskArn);
}

describe('what a webhook is sent', () => {
  it('is what happens from then on, once and in order, as ListEvents shows it', async () => {
    const { webhook } = await create();
    const task = await run();
    await host.obey();
    await world.call('StopTask', { task });
    await host.obey();
    await settled();
    const ids = await storedIds({ since });
    expect(ids.length).toBeGreaterThanOrEqual(4);
    expect(receiver.eventIds()).toEqual(ids);
    const { events } = await world.call('ListEvents', { order: 'oldest', since });
    expect(receiver.received.flatMap(eventsIn)).toEqual(JSON.parse(JSON.stringify(events)));
    expect(JSON.parse(receiver.received[0]?.body ?? '')).toMatchObject({
      type: 'events',
      timestamp: '2100-01-01T00:00:01.000Z',
      data: { webhookId: webhook.webhookId, clusterArn: 'arn:aws:ecs:us-east-1:000000000000:cluster/default' },
    });
    expect(await view(webhook.webhookId)).toMatchObject({
      status: 'ACTIVE',
      failures: 0,
      waitingEvents: 0,
      deliveredThrough: new Date(world.now()),
      lastSuccessAt: new Date(world.now()),
    });
  });

  it('is signed so that the documented function can tell it from anything else', async () => {
    const page = readFileSync(new URL('../../docs/events.md', import.meta.url), 'utf8');
    const code = /```js\n(\/\/ verify\.mjs[\s\S]*?)```/.exec(page)?.[1] ?? '';
    const { verify } = await import(`data:text/javascript,${encodeURIComponent(code)}`);
    const { secret } = await create();
    await run();
    await settled();
    const { headers, body } = receiver.received[0] ?? { headers: {}, body: '' };
    const at = world.now() / 1000;
    expect(verify({ secret, headers, body, now: at })).toEqual(JSON.parse(body));
    const other = await create();
    for (const wrong of [
      { secret: other.secret, headers, body, now: at },
      { secret, headers, body: `${body} `, now: at },
      { secret, headers: { ...headers, 'webhook-id': 'msg_other' }, body, now: at },
      { secret, headers, body, now: at + 301 },
    ])
      expect(() => verify(wrong)).toThrow();
  });

  it('is what its filters let through', async () => {
    const task = await run();
    const [refusals, oneTask, hosts] = [await startReceiver(), await startReceiver(), await startReceiver()];
    await create({ url: refusals.url, kind: ['refusal'] });
    await create({ url: oneTask.url, task });
    await create({ url: hosts.url, host: 'host-1' });
    await host.obey();
    await run();
    await world.call('RunTask', { taskDefinition: 'nothing' }).catch(() => {});
    await world.call('UpdateContainerInstancesState', { containerInstances: [host.hostId], status: 'DRAINING' });
    await settled();
    expect(refusals.received.flatMap(eventsIn).map(({ kind }) => kind)).toEqual(['refusal']);
    const ofTask = oneTask.received.flatMap(eventsIn);
    expect(ofTask.length).toBeGreaterThan(0);
    expect(new Set(ofTask.map(({ resources }) => idOf(resources[0])))).toEqual(new Set([task]));
    expect(hosts.eventIds()).toEqual(await storedIds({ host: 'host-1', since }));
    for (const one of [refusals, oneTask, hosts]) await one[Symbol.asyncDispose]();
  });

  it('may begin earlier, and comes in as many requests as its owner wants', async () => {
    await run();
    await host.obey();
    const ids = await storedIds();
    await create({ since: '2099-12-31T23:00:00Z', maxEvents: 2 });
    await settled();
    expect(receiver.eventIds()).toEqual(ids);
    expect(receiver.received).toHaveLength(Math.ceil(ids.length / 2));
  });
});

describe('a receiver that fails', () => {
  it('is sent the same again, ever more seldom, and then what came meanwhile', async () => {
    const { webhook } = await create();
    receiver.answers({ status: 500 });
    await run();
    await settled();
    await run();
    await settled();
    expect(receiver.received).toHaveLength(1);
    expect(await view(webhook.webhookId)).toMatchObject({ failures: 1, lastFailureReason: 'it answered 500' });
    const pauses: number[] = [];
    for (let failure = 1; failure <= 12; failure += 1) {
      const { nextAttemptAt } = await view(webhook.webhookId);
      const pause = ((nextAttemptAt?.getTime() ?? 0) - world.now()) / 1000;
      pauses.push(pause);
      world.advance(pause - 0.1);
      await world.loop('deliver-webhooks');
      expect(receiver.received).toHaveLength(failure);
      world.advance(0.1);
      await world.loop('deliver-webhooks');
    }
    pauses.forEach((pause, index) => {
      const longest = Math.min(5 * 2 ** index, 900);
      expect(pause).toBeLessThanOrEqual(longest);
      expect(pause).toBeGreaterThanOrEqual(longest * 0.8);
    });
    receiver.answers({ status: 204 });
    world.advance(900);
    await world.loop('deliver-webhooks');
    const [first, ...others] = receiver.received;
    const again = others.slice(0, -1);
    expect(again).toHaveLength(13);
    for (const one of again) {
      expect(one.headers['webhook-id']).toBe(first?.headers['webhook-id']);
      expect(one.body).toBe(first?.body);
    }
    const ids = await storedIds({ since });
    expect([...eventsOf(0), ...eventsOf(14)].map(({ id }) => id)).toEqual(ids);
  });

  it('is given the time that it asks for', async () => {
    const { webhook } = await create();
    receiver.answers({ status: 429, headers: { 'retry-after': '120' } });
    await run();
    await settled();
    expect((await view(webhook.webhookId)).nextAttemptAt).toEqual(new Date(world.now() + 120_000));
  });

  it('is not followed to where it points', async () => {
    const elsewhere = await startReceiver();
    const { webhook } = await create();
    receiver.answers({ status: 307, headers: { location: elsewhere.url } });
    await run();
    await settled();
    expect((await view(webhook.webhookId)).lastFailureReason).toBe('it answered 307, and redirects are not followed');
    expect(elsewhere.received).toEqual([]);
    await elsewhere[Symbol.asyncDispose]();
  });

  it('and says 410 is sent nothing more, until its owner says so', async () => {
    const { webhook } = await create();
    receiver.answers({ status: 410 });
    await run();
    await settled();
    world.advance(10_000);
    await run();
    await settled();
    expect(receiver.received).toHaveLength(1);
    expect(await view(webhook.webhookId)).toMatchObject({
      status: 'DISABLED',
      statusReason: 'Its receiver answered 410 Gone.',
      waitingEvents: expect.any(Number),
    });
    receiver.answers({ status: 200 });
    await world.call('UpdateWebhook', { webhook: webhook.webhookId, status: 'ACTIVE' });
    await settled();
    expect(eventsOf(1).map(({ id }) => id)).toEqual(await storedIds({ since }));
    expect(await view(webhook.webhookId)).toMatchObject({ status: 'ACTIVE', waitingEvents: 0 });
  });

  it('for as long as events are kept goes on with what is left', async () => {
    const { webhook } = await create({ kind: ['task'] });
    receiver.answers({ status: 503 });
    await run();
    await settled();
    world.advance(world.control.deps.settings.retentionSeconds + 60);
    receiver.answers({ status: 200 });
    await run();
    await settled();
    await world.loop('deliver-webhooks');
    expect(receiver.received).toHaveLength(2);
    expect(eventsOf(1)).toHaveLength(1);
    expect(world.logged.map(({ msg }) => msg)).toContain('events were forgotten before a webhook took them');
    expect(await view(webhook.webhookId)).toMatchObject({ failures: 0, waitingEvents: 0 });
  });

  it('by hanging holds up no other, and is not sent to twice by two control planes', async () => {
    const quick = await startReceiver();
    const hanging = Promise.withResolvers<{ status: number }>();
    receiver.answers(() => hanging.promise);
    await create();
    await create({ url: quick.url });
    const first = await run();
    await receiver.arrived(1);
    const second = await run();
    await quick.arrived(2);
    expect(quick.received.map((one) => idOf(eventsIn(one)[0]?.resources[0]))).toEqual([first, second]);
    const other = await world.another();
    await world.loop('deliver-webhooks', other);
    expect(receiver.received).toHaveLength(1);
    // As long as nobody can have been killed while it sent.
    world.advance(16);
    receiver.answers({ status: 200 });
    await world.loop('deliver-webhooks', other);
    expect(receiver.received[1]?.headers['webhook-id']).toBe(receiver.received[0]?.headers['webhook-id']);
    expect(receiver.received[1]?.body).toBe(receiver.received[0]?.body);
    hanging.resolve({ status: 200 });
    await settled();
    expect(receiver.eventIds().slice(1)).toEqual(await storedIds({ since }));
    await quick[Symbol.asyncDispose]();
  });

  it('is not waited for when the control plane ends, and is sent to by the next one at once', async () => {
    const ending = await world.another((table) => ({
      ...interceptCommits(table, (changes, forward) => forward(changes)),
      follow: (follower) => table.follow?.(follower),
      close: async () => {},
    }));
    receiver.answers(() => new Promise(() => {}));
    const { webhook } = await world.call('CreateWebhook', { url: receiver.url }, { control: ending });
    await world.call('RunTask', { taskDefinition: 'web' }, { control: ending });
    await receiver.arrived(1);
    await ending.close();
    receiver.answers({ status: 200 });
    await world.loop('deliver-webhooks');
    expect(receiver.received).toHaveLength(2);
    expect(await view(webhook.webhookId)).toMatchObject({ failures: 0, waitingEvents: 0 });
  });
});

describe('a webhook', () => {
  it('is listed without its secret, which is stored sealed where there is a box', async () => {
    await using sealing = await startWorld({
      secretBox: createSecretBox(new Uint8Array(32)),
      settings: { webhookAddresses: 'private' },
    });
    const { webhook, secret } = await sealing.call('CreateWebhook', { url: receiver.url, description: 'to chat' });
    expect(secret).toMatch(/^whsec_[\w+/]{43}=$/);
    const listed = await sealing.call('ListWebhooks', {});
    expect(listed).toEqual({ webhooks: [webhook] });
    const stored = await sealing.table.get(keys.webhook('default', webhook.webhookId));
    expect(JSON.stringify([listed, stored])).not.toContain(secret.slice(6));
    expect(await sealing.call('TestWebhook', { webhook: webhook.webhookId })).toMatchObject({
      delivered: true,
      status: 200,
      reason: 'it answered 200',
    });
    expect(JSON.parse(receiver.received[0]?.body ?? '')).toMatchObject({ type: 'test', data: { events: [] } });
  });

  it('is paused, changed, and goes on with what waits or without it', async () => {
    const { webhook } = await create();
    const update = (changes: object) => world.call('UpdateWebhook', { webhook: webhook.webhookId, ...changes });
    expect((await update({ status: 'PAUSED', description: 'later' })).webhook.status).toBe('PAUSED');
    await run();
    await settled();
    expect(receiver.received).toEqual([]);
    expect(await view(webhook.webhookId)).toMatchObject({
      waitingEvents: 1,
      waitingSince: new Date(world.now()),
      description: 'later',
    });
    await update({ status: 'ACTIVE', kind: ['task'] });
    await settled();
    expect(receiver.eventIds()).toEqual(await storedIds({ since, kind: ['task'] }));
    await update({ status: 'PAUSED' });
    await run();
    world.advance(1);
    await update({ status: 'ACTIVE', skipWaiting: true });
    await run();
    await settled();
    expect(receiver.received).toHaveLength(2);
    expect(receiver.eventIds().at(-1)).toBe((await storedIds()).at(-1));
  });

  it('is deleted while it is sent, and nothing of it stays', async () => {
    const hanging = Promise.withResolvers<{ status: number }>();
    receiver.answers(() => hanging.promise);
    const { webhook } = await create();
    await run();
    await receiver.arrived(1);
    await world.call('DeleteWebhook', { webhook: webhook.webhookId });
    hanging.resolve({ status: 200 });
    await settled();
    expect(await world.call('ListWebhooks', {})).toEqual({ webhooks: [] });
    expect(await world.table.get(keys.webhookDelivery('default', webhook.webhookId))).toBeUndefined();
    for (const operation of ['DeleteWebhook', 'GetWebhook', 'UpdateWebhook', 'TestWebhook'] as const)
      await expect(world.call(operation, { webhook: webhook.webhookId })).rejects.toMatchObject({
        code: 'ResourceNotFoundException',
        field: 'webhook',
      });
  });

  it('is one of twenty at most', async () => {
    for (let made = 0; made < 20; made += 1) await create();
    await expect(create()).rejects.toMatchObject({ code: 'LimitExceededException' });
  });

  it.each([
    [{ url: 'ftp://example.com' }, 'url'],
    [{ url: 'example.com' }, 'url'],
    [{ url: 'http://user:secret@example.com/' }, 'url'],
    [{ url: 'http://169.254.169.254/latest' }, 'url'],
    [{ url: 'http://[::ffff:169.254.169.254]/' }, 'url'],
    [{ url: 'http://[fd00:ec2::254]/' }, 'url'],
    [{ url: 'http://0.0.0.0:8080/' }, 'url'],
    [{ maxEvents: 0 }, 'maxEvents'],
    [{ maxEvents: 101 }, 'maxEvents'],
    [{ description: 'x'.repeat(256) }, 'description'],
    [{ kind: ['rumour'] }, 'kind[0]'],
    [{ task: 'nothing' }, 'task'],
    [{ task: 'f'.repeat(32), host: 'f'.repeat(32) }, 'host'],
    [{ since: 'yesterday' }, 'since'],
    [{ cluster: 'nowhere' }, 'cluster'],
  ])('is refused by its field: %j', async (wrong, field) => {
    await expect(create(wrong)).rejects.toMatchObject({ field });
    expect(await world.call('ListWebhooks', {})).toEqual({ webhooks: [] });
  });
});

describe('where only public addresses are allowed', () => {
  it.each([
    'http://example.com/',
    'https://127.0.0.1/',
    'https://0x7f.1/',
    'https://10.1.2.3/',
    'https://[::1]/',
    'https://[fd12::1]/',
    'https://[64:ff9b::a9fe:a9fe]/',
    'https://[::ffff:192.168.0.1]/',
  ])('%s is refused', async (url) => {
    await using open = await startWorld();
    await expect(open.call('CreateWebhook', { url })).rejects.toMatchObject({
      code: 'InvalidParameterException',
      field: 'url',
    });
  });

  it('a name that leads elsewhere is not connected to', async () => {
    await using open = await startWorld();
    const url = receiver.url.replace('http://127.0.0.1', 'https://localhost');
    const { webhook } = await open.call('CreateWebhook', { url });
    expect(await open.call('TestWebhook', { webhook: webhook.webhookId })).toMatchObject({
      delivered: false,
      reason: expect.stringMatching(
        /^localhost is (127\.0\.0\.1|::1), which is not an address that webhooks are sent to/,
      ),
    });
  });
});
