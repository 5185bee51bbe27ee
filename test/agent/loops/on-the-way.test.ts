/** When an agent tells of tasks that are on their way to RUNNING or STOPPED. */
import { expect, test } from 'vitest';
import type { Clock } from '../../../agent/clock.ts';
import { FakeControlPlane } from '../../support/fake-control-plane.ts';
import { FakeHost, fakeCommands } from '../../support/fake-runtime.ts';
import { agentDirectory, fastClock, startAgent, type TestAgentOptions } from '../../support/test-agent.ts';
import { containerSpec, taskSpec } from '../oci/task-spec.ts';

const { exits, ignoresStop, runsUntilStopped } = fakeCommands;

async function open(clock: Clock, options: Partial<TestAgentOptions> = {}) {
  const controlPlane = await FakeControlPlane.open();
  const directory = agentDirectory();
  const host = new FakeHost({ now: () => clock.now(), images: ['busybox'] });
  const agent = await startAgent({ directory: directory.path, host, controlPlane, clock, ...options });
  return {
    controlPlane,
    host,
    async [Symbol.asyncDispose]() {
      await agent[Symbol.asyncDispose]();
      await controlPlane[Symbol.asyncDispose]();
      directory[Symbol.dispose]();
    },
  };
}

const task = (taskId: string, command: string[]) =>
  taskSpec({ taskId, containers: [containerSpec({ command, stopTimeoutSeconds: 86_400 })] });

test('a start and an end that are quick cost a report each: that it runs, and that it has ended', async () => {
  // Time stands still, so that nothing is reported for having waited long enough.
  const clock: Clock = {
    now: () => Date.now(),
    sleep: (_, signal) => new Promise((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true })),
  };
  await using world = await open(clock);
  const { controlPlane } = world;
  const [earlier, spec] = [task('a'.repeat(32), exits(0)), task('b'.repeat(32), runsUntilStopped)];
  controlPlane.run(earlier); // Once it has ended, everything else that an agent reports after its start is reported.
  await controlPlane.untilStatus(earlier.taskId, 'STOPPED');
  controlPlane.run(spec);
  await controlPlane.untilStatus(spec.taskId, 'RUNNING');
  controlPlane.stop(spec.taskId);
  await controlPlane.untilStatus(spec.taskId, 'STOPPED');
  const reported = controlPlane.reports.flatMap(({ tasks }) => tasks.filter(({ taskId }) => taskId === spec.taskId));
  expect(reported.map(({ observation }) => observation.status)).toEqual(['RUNNING', 'STOPPED']);
});

test('what became due while the report before it was being written is told', async () => {
  const clock = fastClock();
  const disk = Promise.withResolvers<void>();
  const spec = task('c'.repeat(32), ignoresStop);
  const isRunning = () => world.host.startsOf(spec.taskId, 'main') > 0;
  const reach = async (what: string) => {
    if (what === 'before sync' && isRunning()) await disk.promise;
  };
  await using world = await open(clock, { points: { reach } });
  const { controlPlane } = world;
  controlPlane.run(spec);
  await expect.poll(isRunning).toBe(true);
  const fetches = () => controlPlane.requests.filter((request) => request === 'desired').length;
  const fetchesBefore = fetches();
  controlPlane.stop(spec.taskId);
  await controlPlane.until(() => fetches() > fetchesBefore);
  await clock.sleep(10_000); // It is stopping for longer than news of that may wait.
  expect(controlPlane.observed.get(spec.taskId)?.status).not.toBe('STOPPING');
  disk.resolve();
  await controlPlane.untilStatus(spec.taskId, 'STOPPING');
});
