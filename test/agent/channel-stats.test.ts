/** What an agent answers to the question what its containers use. */
import { expect, it } from 'vitest';
import { answerStats } from '../../agent/channel-stats.ts';
import type { AgentFrame } from '../../core/host-protocol.ts';
import { FakeHost, fakeCommands } from '../support/fake-runtime.ts';
import { exitOf, run } from './runtime-driver.ts';

async function answered(runtime: Parameters<typeof answerStats>[0]): Promise<AgentFrame[]> {
  const frames: AgentFrame[] = [];
  await answerStats(runtime, 'stream', async (frame) => void frames.push(frame));
  return frames;
}

it('names every container that runs and no other, in frames of bounded size', async () => {
  const runtime = new FakeHost().open();
  const host = { runtime, image: 'busybox' };
  const running: string[] = [];
  for (let count = 0; count < 60; count += 1) running.push(await run(host, { main: fakeCommands.runsUntilStopped }));
  const ended = await run(host, { main: fakeCommands.exits(0), beside: fakeCommands.runsUntilStopped });
  await exitOf(runtime, ended);
  const frames = await answered(runtime);
  expect(frames.map(({ kind }) => kind)).toEqual(['stats', 'stats', 'end']);
  const said = frames.flatMap((frame) => (frame.kind === 'stats' ? frame.containers : []));
  expect(said.map(({ taskId, container }) => `${taskId}/${container}`).toSorted()).toEqual(
    [...running.map((taskId) => `${taskId}/main`), `${ended}/beside`].toSorted(),
  );
  expect(frames.at(-1)).toEqual({ kind: 'end', stream: 'stream' });
});

it('says what went wrong where the host cannot be looked at', async () => {
  const runtime = new FakeHost().open();
  const broken = { ...runtime, inventory: () => Promise.reject(new Error('containerd is away')) };
  expect(await answered(broken)).toEqual([{ kind: 'end', stream: 'stream', error: 'containerd is away' }]);
});
