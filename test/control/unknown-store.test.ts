/** A real agent over a host in memory, and a real store file that is put back from a backup under it. */
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { getRequestListener } from '@hono/node-server';
import { describe, expect, it, vi } from 'vitest';
import type { Clock } from '../../agent/clock.ts';
import { markRestored } from '../../control/restored-store.ts';
import { FakeHost, fakeCommands } from '../support/fake-runtime.ts';
import { startAgent } from '../support/test-agent.ts';
import { breaches } from './support/invariants.ts';
import { idOf, startWorld, type World } from './support/world.ts';

const speed = 20;

/** A host whose agent keeps its address while control planes and their store come and go. */
async function openSite() {
  await using started = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'gantry-put-back-'));
  started.defer(() => rmSync(directory, { recursive: true, force: true }));
  let world: World | undefined;
  let seed = 0;
  const listener = getRequestListener(async (request) =>
    world === undefined ? new Response('away', { status: 503 }) : world.control.hostsApp.fetch(request),
  );
  const server = createServer((request, response) => void listener(request, response)).listen(0, '127.0.0.1');
  started.defer(() => void server.close());
  started.defer(() => server.closeAllConnections());
  await once(server, 'listening');
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const clock: Clock = {
    now: () => world?.now() ?? Date.UTC(2100, 0, 1),
    async sleep(milliseconds, signal) {
      await delay(milliseconds / speed, undefined, signal && { signal }).catch(() => {});
    },
  };
  const host = new FakeHost({ now: () => clock.now(), images: ['busybox'] });
  const file = join(directory, 'gantry.db');
  const all = started.move();
  const site = {
    host,
    file,
    get world(): World {
      if (world === undefined) throw new Error('there is no control plane now');
      return world;
    },
    /** Another process over the store as it lies there; its ids are others. */
    async up(): Promise<World> {
      seed += 1;
      world = await startWorld({ file, seed });
      return world;
    },
    async down(): Promise<void> {
      const last = world;
      world = undefined;
      await last?.[Symbol.asyncDispose]();
    },
    async agent() {
      const token = await site.world.control.joinTokens.create({ cluster: 'default', reusable: true });
      const agent = await startAgent({
        directory: join(directory, 'host-1'),
        host,
        controlPlane: { url },
        clock,
        entitlement: async () => ({ token }),
      });
      all.defer(() => agent[Symbol.asyncDispose]());
      return agent;
    },
    async [Symbol.asyncDispose]() {
      await all.disposeAsync();
      await site.down();
    },
  };
  return site;
}

const statusOf = async (world: World, task: string) => (await world.call('GetTask', { task })).task.lastStatus;
const until = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 15_000, interval: 20 });
const untilRunning = (world: World, task: string) =>
  until(async () => expect(await statusOf(world, task)).toBe('RUNNING'));

async function run(world: World): Promise<string> {
  const { tasks } = await world.call('RunTask', { taskDefinition: 'job' });
  const id = idOf(tasks[0]?.taskArn);
  await untilRunning(world, id);
  return id;
}

/** `early` runs when the backup is made, and has ended since; `late` was made since, of a revision that was made since. */
async function putBack(site: Awaited<ReturnType<typeof openSite>>) {
  let world = await site.up();
  await site.agent();
  const containerDefinitions = [{ name: 'app', image: 'busybox', memory: 64, command: fakeCommands.runsUntilStopped }];
  await world.call('RegisterTaskDefinition', { family: 'job', containerDefinitions });
  await until(async () => expect((await world.call('GetHost', { host: 'host-1' })).host.agentConnected).toBe(true));
  const early = await run(world);
  await site.down();
  copyFileSync(site.file, `${site.file}.backup`);
  world = await site.up();
  await world.call('RegisterTaskDefinition', { family: 'job', containerDefinitions });
  const late = await run(world);
  await world.call('StopTask', { task: early });
  await until(async () => expect(site.host.tasks.has(early)).toBe(false));
  await until(async () => expect(await statusOf(world, early)).toBe('STOPPED'));
  await site.down();
  for (const suffix of ['-wal', '-shm']) rmSync(`${site.file}${suffix}`, { force: true });
  copyFileSync(`${site.file}.backup`, site.file);
  return { early, late };
}

const conditionOf = async (world: World) => (await world.call('GetHost', { host: 'host-1' })).host;

describe.each(['nobody says it', 'somebody says it'])('a store that was put back, and %s', (said) => {
  async function open() {
    const site = await openSite();
    const tasks = await putBack(site);
    await site.up();
    if (said === 'somebody says it') {
      await site.down();
      const again = await startWorld({ file: site.file, seed: 99 });
      await markRestored(again.control.deps);
      await again[Symbol.asyncDispose]();
      await site.up();
    }
    await until(async () => expect((await conditionOf(site.world)).condition).toBe('UNKNOWN_STORE'));
    return { site, ...tasks, [Symbol.asyncDispose]: () => site[Symbol.asyncDispose]() };
  }

  it('is not believed: what runs runs on, nothing is taken, until it is adopted with its ids', async () => {
    await using opened = await open();
    const { site, early, late } = opened;
    const { world, host } = site;
    expect((await conditionOf(world)).statusReason).toContain('1 task (1 unknown here), and not 1 that');
    const { tasks } = await world.call('RunTask', { taskDefinition: 'job' });
    expect(tasks).toMatchObject([{ lastStatus: 'PROVISIONING' }]);
    expect([host.startsOf(early, 'app'), host.startsOf(late, 'app')]).toEqual([1, 1]);
    const answer = await world.call('DecideHosts', { decision: 'adopt' });
    expect(answer).toMatchObject({ containerInstances: [{ hostName: 'host-1' }], failures: [] });
    await untilRunning(world, idOf(tasks[0]?.taskArn));
    expect(await conditionOf(world)).not.toHaveProperty('condition');
    expect(await statusOf(world, late)).toBe('RUNNING');
    expect((await world.call('GetTask', { task: early })).task).toMatchObject({
      lastStatus: 'STOPPED',
      stoppedReason: expect.stringContaining('NotOnHost'),
    });
    // Neither ran again, and its number is not given to another.
    expect([host.startsOf(early, 'app'), host.startsOf(late, 'app')]).toEqual([1, 1]);
    const { taskDefinition } = await world.call('DescribeTaskDefinition', { taskDefinition: 'job:2' });
    expect(taskDefinition).toMatchObject({ status: 'INACTIVE', registeredBy: 'gantry adopt' });
    await world.call('StopTask', { task: late });
    await until(async () => expect(host.tasks.has(late)).toBe(false));
    await until(async () => expect(await statusOf(world, late)).toBe('STOPPED'));
    // What is reported is in the listings a moment later.
    await until(async () => expect(await breaches(world.table)).toEqual([]));
  });

  it('has what it does not know ended where that is discarded', async () => {
    await using opened = await open();
    const { site, early, late } = opened;
    const { world, host } = site;
    await world.call('DecideHosts', { decision: 'discard', containerInstances: ['host-1'] });
    await until(async () => expect(host.tasks.has(late)).toBe(false));
    await until(async () => expect(await conditionOf(world)).not.toHaveProperty('condition'));
    expect(host.startsOf(early, 'app')).toBe(1);
    await expect(world.call('GetTask', { task: late })).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
    await run(world);
    // What is reported is in the listings a moment later.
    await until(async () => expect(await breaches(world.table)).toEqual([]));
  });
});

describe('DecideHosts', () => {
  it('says where there is nothing to decide, and what it takes', async () => {
    await using world = await startWorld();
    await world.host();
    const decide = (input: object) => world.call('DecideHosts', { decision: 'adopt', ...input });
    expect(await decide({})).toEqual({ containerInstances: [], failures: [] });
    expect(await decide({ containerInstances: ['host-1', 'nobody'] })).toMatchObject({
      containerInstances: [],
      failures: [
        { reason: 'KNOWN_STORE', detail: expect.stringContaining('nothing to decide') },
        { reason: 'MISSING' },
      ],
    });
    await expect(decide({ decision: 'keep' })).rejects.toMatchObject({ field: 'decision' });
  });
});
