/** `gantry webhooks`: made, shown, tried, paused and deleted, with a receiver that is really sent to. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventsIn, startReceiver, type TestReceiver } from '../control/support/receiver.ts';
import { type Desk, openDesk } from './support/desk.ts';
import { runOne } from './support/scene.ts';
import { transcript } from './support/transcript.ts';

const styles = { terminal: { columns: 120 }, plain: {}, json: { columns: 120 } } as const;

let desk: Desk;
let receiver: TestReceiver;
beforeAll(async () => {
  desk = await openDesk({ settings: { webhookAddresses: 'private' } });
  receiver = await startReceiver();
  await desk.world.register('job');
  await desk.world.host();
  desk.world.advance(1);
});
afterAll(async () => {
  await desk[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

const gantry = (...argv: string[]) => desk.gantry(['webhooks', ...argv]);
const webhooks = async () => JSON.parse((await gantry('list', '--json')).stdout).webhooks;

describe('gantry webhooks', () => {
  it('makes one whose secret is all of standard output, and which is sent to', async () => {
    const { code, stdout, stderr } = await gantry('create', receiver.url, '--kind', 'task', '--max-events', '5');
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^whsec_[\w+/]{43}=\n$/) });
    const [{ webhookId }] = await webhooks();
    expect(stderr).toContain(`gantry webhooks test ${webhookId.slice(0, 8)}`);
    const task = await runOne(desk, 'job');
    await desk.world.control.loops.idle();
    expect(receiver.received.flatMap(eventsIn)[0]?.resources[0]).toContain(task);
  });

  it('pauses it and lets it go on with what waits, or without', async () => {
    const [{ webhookId }] = await webhooks();
    const before = receiver.received.length;
    await gantry('pause', webhookId.slice(0, 6));
    expect(await webhooks()).toMatchObject([{ status: 'PAUSED' }]);
    await runOne(desk, 'job');
    desk.world.advance(1);
    await gantry('resume', webhookId.slice(0, 6), '--skip-waiting');
    await desk.world.control.loops.idle();
    expect(receiver.received).toHaveLength(before);
  });

  it('tries it, and says what became of it', async () => {
    const [{ webhookId }] = await webhooks();
    expect(await gantry('test', webhookId)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('it answered 200'),
    });
    receiver.answers({ status: 503 });
    expect(await gantry('test', webhookId)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('did not take it: it answered 503'),
    });
    expect(JSON.parse(receiver.received.at(-1)?.body ?? '').type).toBe('test');
  });

  it.each(Object.entries(styles))('shows how each fares, %s', async (style, options) => {
    receiver.answers({ status: 503 });
    if (style === 'terminal') {
      await runOne(desk, 'job');
      await desk.world.control.loops.idle();
      desk.world.advance(2);
      await gantry('create', 'https://example.com/hook', '--host', 'host-1', '--description', 'to chat');
    }
    const argv = ['webhooks', 'list', ...(style === 'json' ? ['--json'] : [])];
    const { code, stdout, stderr } = await desk.gantry(argv, options);
    const told = transcript(argv.join(' '), {
      code,
      stdout: stdout.replaceAll(/:\d{5}\/hook/g, ':12345/hook'),
      stderr,
    });
    await expect(told).toMatchFileSnapshot(`./golden/webhooks list - ${style}.txt`);
  });

  it('deletes the one that is meant, and none where several may be', async () => {
    expect(await gantry('delete', '')).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('has several webhooks whose id begins with'),
    });
    expect(await gantry('delete', 'nothing')).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('has no webhook whose id begins with nothing.'),
    });
    for (const { webhookId } of await webhooks()) expect((await gantry('delete', webhookId)).code).toBe(0);
    expect(await gantry('list')).toMatchObject({ stdout: '', stderr: expect.stringContaining('has no webhooks') });
  });
});
