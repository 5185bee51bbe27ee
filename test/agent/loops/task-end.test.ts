/** Ends that a task did not choose, by an agent: its timeout, whoever is away, and a stop by force. */
import { expect, test } from 'vitest';
import type { Clock } from '../../../agent/clock.ts';
import type { ContainerSpec, TaskSpec } from '../../../core/model/task-spec.ts';
import { FakeControlPlane } from '../../support/fake-control-plane.ts';
import { FakeHost, fakeCommands } from '../../support/fake-runtime.ts';
import { agentDirectory, fastClock, startAgent } from '../../support/test-agent.ts';
import { containerSpec, taskSpec } from '../oci/task-spec.ts';

const { ignoresStop, runsUntilStopped } = fakeCommands;

/** A clock that runs faster than the wall's, and leaps when it is told to: whoever sleeps until a moment that is passed wakes. */
function leapingClock(): Clock & { leap(seconds: number): void } {
  const steady = fastClock();
  const sleepers = new Set<() => void>();
  let leaptMs = 0;
  const now = () => steady.now() + leaptMs;
  return {
    now,
    async sleep(milliseconds, signal) {
      const until = now() + milliseconds;
      while (signal?.aborted !== true && now() < until) {
        const woken = new AbortController();
        const wake = () => woken.abort();
        sleepers.add(wake);
        await steady.sleep(
          until - now(),
          signal === undefined ? woken.signal : AbortSignal.any([signal, woken.signal]),
        );
        sleepers.delete(wake);
      }
    },
    leap(seconds) {
      leaptMs += seconds * 1000;
      for (const wake of sleepers) wake();
    },
  };
}

/** A control plane, a host and an agent on it. */
async function open() {
  const controlPlane = await FakeControlPlane.open();
  const directory = agentDirectory();
  const clock = leapingClock();
  const host = new FakeHost({ now: () => clock.now(), images: ['busybox'] });
  const start = () => startAgent({ directory: directory.path, host, controlPlane, clock });
  const agent = await start();
  return {
    controlPlane,
    host,
    agent,
    clock,
    start,
    async [Symbol.asyncDispose]() {
      await agent[Symbol.asyncDispose]();
      await controlPlane[Symbol.asyncDispose]();
      directory[Symbol.dispose]();
    },
  };
}

const task = (container: Partial<ContainerSpec>, more: Partial<TaskSpec> = {}): TaskSpec =>
  taskSpec({ containers: [containerSpec(container)], ...more });

const hour = 3600;
const outOfTime = {
  stopCode: 'ServiceSchedulerInitiated',
  stoppedReason: 'TaskTimedOut: it ran for 1 h, the longest that it may',
};

test('a task is stopped after its timeout, first by SIGTERM', async () => {
  await using world = await open();
  const { controlPlane, clock } = world;
  const spec = task({ command: runsUntilStopped }, { timeoutSeconds: hour });
  controlPlane.run(spec);
  await controlPlane.untilStatus(spec.taskId, 'RUNNING');
  clock.leap(hour);
  const observed = await controlPlane.untilStatus(spec.taskId, 'STOPPED');
  expect(observed).toMatchObject({ ...outOfTime, containers: [{ exitCode: 143 }] });
  expect((observed.stoppingAt ?? 0) - (observed.startedAt ?? 0)).toBeGreaterThanOrEqual(hour * 1000);
});

test('a task that ignores SIGTERM is killed at its timeout and its stopTimeout, also while the control plane is away', async () => {
  await using world = await open();
  const { controlPlane, host, clock } = world;
  const spec = task({ command: ignoresStop, stopTimeoutSeconds: hour }, { timeoutSeconds: hour });
  controlPlane.run(spec);
  await controlPlane.untilStatus(spec.taskId, 'RUNNING');
  controlPlane.fate = () => 503;
  controlPlane.dropSockets();
  const left = () => {
    clock.leap(hour);
    return host.tasks.size;
  };
  await expect.poll(left).toBe(0);
  expect(controlPlane.observed.get(spec.taskId)?.status).toBe('RUNNING');
  controlPlane.fate = () => 'answered';
  const observed = await controlPlane.untilStatus(spec.taskId, 'STOPPED');
  expect(observed).toMatchObject({ ...outOfTime, containers: [{ exitCode: 137 }] });
  expect((observed.containers[0]?.stoppedAt ?? 0) - (observed.stoppingAt ?? 0)).toBeGreaterThanOrEqual(hour * 1000);
});

test('an agent that was killed goes on counting where the task began, with no control plane', async () => {
  await using world = await open();
  const { controlPlane, host, agent, clock } = world;
  const spec = task({ command: runsUntilStopped }, { timeoutSeconds: hour });
  controlPlane.run(spec);
  const { startedAt } = await controlPlane.untilStatus(spec.taskId, 'RUNNING');
  agent.kill();
  controlPlane.fate = () => 503;
  clock.leap(hour);
  await using _again = await world.start();
  await expect.poll(() => host.tasks.size).toBe(0);
  controlPlane.fate = () => 'answered';
  const observed = await controlPlane.untilStatus(spec.taskId, 'STOPPED');
  expect(observed).toMatchObject({ ...outOfTime, startedAt, containers: [{ exitCode: 143 }] });
});

test('a stop by force waits for no stopTimeout, also of a task that is stopping', async () => {
  await using world = await open();
  const { controlPlane } = world;
  const spec = task({ command: ignoresStop, stopTimeoutSeconds: 86_400 });
  controlPlane.run(spec);
  await controlPlane.untilStatus(spec.taskId, 'RUNNING');
  controlPlane.stop(spec.taskId);
  await controlPlane.untilStatus(spec.taskId, 'STOPPING');
  controlPlane.stop(spec.taskId, { force: true });
  const observed = await controlPlane.untilStatus(spec.taskId, 'STOPPED');
  expect(observed.containers).toMatchObject([{ exitCode: 137 }]);
});
