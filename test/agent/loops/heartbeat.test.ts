/** What the agent learns from the answer of its heartbeat, and where registration says that its sockets are. */
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import type { TaskSpec } from '../../../core/model/task-spec.ts';
import { FakeControlPlane } from '../../support/fake-control-plane.ts';
import { FakeHost, fakeCommands } from '../../support/fake-runtime.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { agentDirectory, startAgent, type TestAgentOptions } from '../../support/test-agent.ts';
import { containerSpec, taskSpec } from '../oci/task-spec.ts';

/** A heartbeat is at most this far away (60 s, less the jitter of the test's constant chance). */
const heartbeatMs = 58_800;

/** An agent for which no time passes by itself. */
async function open(prepare: (controlPlane: FakeControlPlane) => void, options: Partial<TestAgentOptions> = {}) {
  const controlPlane = await FakeControlPlane.open();
  prepare(controlPlane);
  const directory = agentDirectory();
  const clock = new ManualClock();
  const host = new FakeHost({ now: () => clock.now(), images: ['busybox'] });
  const agent = await startAgent({ directory: directory.path, host, controlPlane, clock, ...options });
  return {
    controlPlane,
    clock,
    host,
    count: (request: string) => controlPlane.requests.filter((seen) => seen === request).length,
    async [Symbol.asyncDispose]() {
      await agent[Symbol.asyncDispose]();
      await controlPlane[Symbol.asyncDispose]();
      directory[Symbol.dispose]();
    },
  };
}

const runs = (): TaskSpec =>
  taskSpec({
    taskId: randomBytes(16).toString('hex'),
    containers: [containerSpec({ name: 'main', command: fakeCommands.runsUntilStopped })],
  });

/** Everything that an agent asks for at its start has been answered: sockets are open, and a task that was woken for runs. */
async function settled({ controlPlane }: { controlPlane: FakeControlPlane }, sockets = 2): Promise<void> {
  await controlPlane.until(() => controlPlane.openSockets === sockets);
  const first = runs();
  controlPlane.run(first);
  await controlPlane.untilStatus(first.taskId, 'RUNNING');
}

test('a heartbeat that says nothing new costs no fetch', async () => {
  await using world = await open((controlPlane) => {
    controlPlane.socketPaths = { wake: '/live', channel: '/talk' };
  });
  const { controlPlane, clock } = world;
  await settled(world);
  await clock.untilSleeping(heartbeatMs);
  const before = world.count('desired');
  for (const heartbeats of [1, 2, 3]) {
    await clock.advance(heartbeatMs);
    await clock.untilSleeping(heartbeatMs);
    expect(world.count('heartbeat')).toBe(heartbeats);
    expect(world.host.networkLooks, 'with each, the firewall is looked at').toBe(heartbeats);
  }
  const spec = runs();
  controlPlane.run(spec);
  await controlPlane.untilStatus(spec.taskId, 'RUNNING');
  expect(world.count('desired')).toBe(before + 1);
});

test('a lost wake-up costs at most one heartbeat', async () => {
  await using world = await open(() => {});
  const { controlPlane, clock } = world;
  await settled(world);
  controlPlane.losesWakes = true;
  const spec = runs();
  controlPlane.run(spec);
  const before = world.count('desired');
  await clock.advance(heartbeatMs);
  await controlPlane.untilStatus(spec.taskId, 'RUNNING');
  expect(world.count('heartbeat')).toBe(1);
  expect(world.count('desired')).toBe(before + 1);
});

test('of a control plane that does not say what is current, it fetches with each heartbeat', async () => {
  await using world = await open((controlPlane) => {
    controlPlane.saysEtag = false;
  });
  const { controlPlane, clock } = world;
  await settled(world);
  controlPlane.losesWakes = true;
  const spec = runs();
  controlPlane.run(spec);
  await clock.advance(heartbeatMs);
  await controlPlane.untilStatus(spec.taskId, 'RUNNING');
});

test('sockets are dialled where registration says, and no channel where it names none', async () => {
  await using world = await open((controlPlane) => {
    controlPlane.socketPaths = { wake: '/live' };
  });
  const { controlPlane } = world;
  await settled(world, 1); // The wake-up came over it.
  expect(controlPlane.dials).toEqual({ wake: 1, channel: 0 });
});

test('a channel is dialled where registration names one', async () => {
  await using world = await open((controlPlane) => {
    controlPlane.socketPaths = { wake: '/live', channel: '/talk' };
  });
  await settled(world, 2);
  expect(world.controlPlane.dials).toEqual({ wake: 1, channel: 1 });
});

test('a fresh proof admits each registration, and a known host comes back without one', async () => {
  let proofs = 0;
  let canProve = true;
  await using world = await open(() => {}, {
    async entitlement() {
      if (!canProve) throw new Error('instance metadata does not answer');
      proofs += 1;
      return { instanceProof: { headers: { authorization: `proof ${proofs}` } } };
    },
  });
  const { controlPlane, clock } = world;
  const admitted: unknown[] = [];
  const registerAgain = async () => {
    const before = controlPlane.registrations.length;
    controlPlane.fate = (request) => (request === 'register' ? 'answered' : 401);
    controlPlane.wake();
    while (controlPlane.registrations.length === before) {
      await clock.advance(Math.min(clock.nextMs, 1000));
    }
    controlPlane.fate = () => 'answered';
  };
  await settled(world);
  await registerAgain();
  canProve = false;
  await registerAgain();
  for (const { token, instanceProof } of controlPlane.registrations) admitted.push(token ?? instanceProof?.headers);
  expect(admitted).toEqual([{ authorization: 'proof 1' }, { authorization: 'proof 2' }, undefined]);
});
