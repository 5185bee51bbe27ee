/** What instance metadata says of an instance's end, on its way to the control plane: over HTTP on both sides, and in time. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { readAgentConfig } from '../../../agent/config.ts';
import { openMetadata } from '../../../agent/ec2/metadata.ts';
import { watchInstance } from '../../../agent/ec2/notices.ts';
import { openPlatform } from '../../../agent/platform.ts';
import type { Ec2Notice } from '../../../core/ec2-notice.ts';
import { FakeControlPlane } from '../../support/fake-control-plane.ts';
import { type FakeMetadata, startFakeMetadata } from '../../support/fake-metadata.ts';
import { FakeHost } from '../../support/fake-runtime.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { agentDirectory, startAgent } from '../../support/test-agent.ts';

const log = pino({ level: 'silent' });
const lookMs = 5000;
const calmMs = 60_000;
const goesAt = '2100-01-01T08:22:00Z';
const interruption: Ec2Notice = { kind: 'spot-interruption', at: Date.parse(goesAt) };

/** An agent on a spot instance, for which no time passes by itself. */
async function open(items: Record<string, string> = { 'instance-life-cycle': 'spot' }) {
  const stack = new AsyncDisposableStack();
  const metadata = stack.use(await startFakeMetadata());
  for (const [item, text] of Object.entries(items)) metadata.items.set(item, text);
  const controlPlane = stack.use(await FakeControlPlane.open());
  const directory = stack.use(agentDirectory());
  const clock = new ManualClock();
  const host = new FakeHost({ now: () => clock.now(), images: [] });
  const start = () => {
    const watchNotices = watchInstance(openMetadata(metadata.url), { clock, log });
    return startAgent({ directory: directory.path, host, controlPlane, clock, watchNotices });
  };
  let agent = await start();
  stack.defer(() => agent[Symbol.asyncDispose]());
  return {
    metadata,
    controlPlane,
    clock,
    async restartAgent() {
      await agent.stop();
      agent = await start();
    },
    /** Lets one look pass and end. */
    async look(everyMs = lookMs) {
      await clock.untilSleeping(everyMs);
      await clock.advance(everyMs);
      await clock.untilSleeping(everyMs);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const announce = ({ items }: FakeMetadata): void =>
  void items.set('spot/instance-action', JSON.stringify({ action: 'terminate', time: goesAt }));

const asked = ({ requests }: FakeMetadata, item: string): number =>
  requests.filter((request) => request.endsWith(`/meta-data/${item}`)).length;

test('an interruption is handed on once, within five seconds, and again by an agent that starts again', async () => {
  await using world = await open();
  const { metadata, controlPlane } = world;
  await world.look();
  expect(controlPlane.notices).toEqual([]);
  announce(metadata);
  await world.look();
  await controlPlane.until(() => controlPlane.notices.length > 0);
  await world.look();
  await world.look();
  expect(controlPlane.notices).toEqual([interruption]);
  await world.restartAgent();
  await controlPlane.until(() => controlPlane.notices.length > 1);
  expect(controlPlane.notices).toEqual([interruption, interruption]);
});

test('what cannot be delivered is sent again, also to a control plane that has forgotten the host', async () => {
  await using world = await open();
  const { metadata, controlPlane, clock } = world;
  let failures = 0;
  controlPlane.fate = (request) => {
    if (request !== 'notice') return 'answered';
    failures += 1;
    if (failures === 3) return 401;
    return failures < 3 ? 503 : 'answered';
  };
  announce(metadata);
  while (controlPlane.notices.length === 0) await clock.advance(250);
  expect(failures).toBe(4);
  expect(controlPlane.registrations).toHaveLength(2);
  expect(controlPlane.notices).toEqual([interruption]);
});

test('a control plane that knows no notices is let be', async () => {
  await using world = await open();
  const { metadata, controlPlane } = world;
  controlPlane.fate = (request) => (request === 'notice' ? 404 : 'answered');
  announce(metadata);
  await world.look();
  await controlPlane.until(() => controlPlane.requests.includes('notice'));
  for (const _ of [1, 2, 3]) await world.look();
  expect(controlPlane.requests.filter((request) => request === 'notice')).toHaveLength(1);
  expect(controlPlane.registrations).toHaveLength(1);
});

test('a rebalance recommendation and a retirement are handed on, and what is no end is not', async () => {
  await using world = await open();
  const { metadata, controlPlane, clock } = world;
  const event = { NotBefore: '21 Jan 2100 09:00:43 GMT', Description: 'scheduled', EventId: 'instance-event-1' };
  metadata.items.set('events/recommendations/rebalance', JSON.stringify({ noticeTime: goesAt }));
  metadata.items.set(
    'events/maintenance/scheduled',
    JSON.stringify([
      { ...event, Code: 'system-reboot', State: 'active' },
      { ...event, Code: 'instance-retirement', State: 'canceled', NotBefore: '1 Jan 2100 09:00:43 GMT' },
      { ...event, Code: 'instance-retirement', State: 'active' },
    ]),
  );
  while (controlPlane.notices.length < 2) await clock.advance(lookMs);
  const retirement = { kind: 'retirement', at: Date.UTC(2100, 0, 21, 9, 0, 43) };
  expect(controlPlane.notices).toEqual(expect.arrayContaining([{ kind: 'rebalance' }, retirement]));
  for (let looks = 0; looks < 12; looks += 1) await world.look();
  expect(controlPlane.notices).toHaveLength(2);
});

test('what is not understood is no notice, and an outage of metadata is none either', async () => {
  await using world = await open();
  const { metadata, controlPlane } = world;
  metadata.items.set('spot/instance-action', 'soon');
  metadata.items.set('events/maintenance/scheduled', '[]');
  await world.look();
  metadata.outage = 503;
  await world.look();
  metadata.outage = undefined;
  metadata.items.set('spot/instance-action', JSON.stringify({ action: 'terminate', time: 'soon' }));
  await world.look();
  expect(controlPlane.notices).toEqual([]);
  announce(metadata);
  await world.look();
  await controlPlane.until(() => controlPlane.notices.length > 0);
  expect(controlPlane.notices).toEqual([interruption]);
});

test('an instance on demand is asked only once a minute, and not for what it cannot have', async () => {
  await using world = await open({ 'instance-life-cycle': 'on-demand' });
  const { metadata } = world;
  announce(metadata);
  for (const _ of [1, 2]) await world.look(calmMs);
  expect(asked(metadata, 'events/maintenance/scheduled')).toBe(3);
  expect(asked(metadata, 'instance-life-cycle')).toBe(1);
  expect(asked(metadata, 'spot/instance-action')).toBe(0);
  expect(asked(metadata, 'events/recommendations/rebalance')).toBe(0);
  expect(world.controlPlane.notices).toEqual([]);
});

test('the agent of an EC2 instance watches', async () => {
  await using metadata = await startFakeMetadata();
  metadata.items.set('instance-life-cycle', 'spot');
  announce(metadata);
  using directory = agentDirectory();
  const file = join(directory.path, 'agent.json');
  writeFileSync(file, JSON.stringify({ platform: 'ec2', controlPlaneUrl: 'http://127.0.0.1:1', cluster: 'default' }));
  const environment = { AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata.url };
  const deps = { clock: new ManualClock(), random: () => 0.5, log };
  const end = new AbortController();
  const platform = await openPlatform(readAgentConfig(file), environment, deps, end.signal);
  const { promise, resolve } = Promise.withResolvers<Ec2Notice>();
  const watching = platform?.watchNotices?.(resolve, end.signal);
  expect(await promise).toEqual(interruption);
  end.abort();
  await watching;
});
