/**
 * The agent is killed at each point of a task's life in turn (around every call to the runtime and every write of the ledger), once as
 * by SIGKILL and once as by a power cut, and another one takes over: no container is ever started twice, the task comes to its right
 * end, and nothing is left.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import type { TaskSpec } from '../../../core/model/task-spec.ts';
import { FakeControlPlane } from '../../support/fake-control-plane.ts';
import { FakeHost, fakeCommands } from '../../support/fake-runtime.ts';
import { agentDirectory, fastClock, type KillPoints, startAgent, type TestAgent } from '../../support/test-agent.ts';
import { containerSpec, taskSpec } from '../oci/task-spec.ts';

const { exits, runsUntilStopped, ignoresStop } = fakeCommands;
const taskId = 'a'.repeat(32);

interface Scenario {
  readonly spec: TaskSpec;
  /** What happens besides; resolves when the task is bound to end. */
  readonly story?: (world: { controlPlane: FakeControlPlane; host: FakeHost }) => Promise<void>;
  readonly exitCodes: readonly number[];
  /** Why it ended, by the agent's word; it has none where somebody asked for it. */
  readonly stopCode?: 'EssentialContainerExited';
}

/** Stops the task once it runs. After a power cut it may end without ever having been seen running. */
const stopOnceItRuns: Scenario['story'] = async ({ controlPlane }) => {
  await controlPlane.until(() => ['RUNNING', 'STOPPED'].includes(controlPlane.observed.get(taskId)?.status ?? ''));
  if (controlPlane.desired.has(taskId)) controlPlane.stop(taskId);
};

const scenarios: Record<string, Scenario> = {
  'a task that ends by itself': {
    spec: taskSpec({ taskId, containers: [containerSpec({ command: exits(3) })] }),
    exitCodes: [3],
    stopCode: 'EssentialContainerExited',
  },
  'a task that is stopped and heeds it': {
    spec: taskSpec({ taskId, containers: [containerSpec({ command: runsUntilStopped })] }),
    story: stopOnceItRuns,
    exitCodes: [143],
  },
  'a task that is stopped and does not heed it': {
    spec: taskSpec({ taskId, containers: [containerSpec({ command: ignoresStop, stopTimeoutSeconds: 1 })] }),
    story: stopOnceItRuns,
    exitCodes: [137],
  },
  'two containers, one of which waits for the other': {
    spec: taskSpec({
      taskId,
      containers: [
        containerSpec({
          name: 'app',
          command: exits(4),
          dependsOn: [{ containerName: 'proxy', condition: 'START' }],
        }),
        containerSpec({ name: 'proxy', command: runsUntilStopped, essential: false }),
      ],
    }),
    exitCodes: [4, 143],
    stopCode: 'EssentialContainerExited',
  },
};

/** A point of an agent's life: the n-th time (from 1) that it comes to `what`, for example `after startContainer`. */
interface Point {
  readonly what: string;
  readonly nth: number;
}

/** Kills the agent given to it at the point; without one it only counts. */
class Killer implements KillPoints {
  readonly reached = new Map<string, number>();
  readonly killed = Promise.withResolvers<Point>();
  agent: TestAgent | undefined;
  readonly #point: Point | undefined;

  constructor(point: Point | undefined) {
    this.#point = point;
  }

  async reach(what: string): Promise<void> {
    const nth = (this.reached.get(what) ?? 0) + 1;
    this.reached.set(what, nth);
    if (this.#point?.what !== what || this.#point.nth !== nth) return;
    this.agent?.kill();
    this.killed.resolve(this.#point);
    await new Promise(() => {});
  }
}

interface Mode {
  readonly powerCut: boolean;
}

interface World {
  readonly directory: string;
  readonly controlPlane: FakeControlPlane;
  readonly host: FakeHost;
}

/** Plays the scenario with one kill, and answers whether the point was reached before the task was over. */
async function play(
  { directory, controlPlane, host }: World,
  scenario: Scenario,
  killer: Killer,
  { powerCut }: Mode,
): Promise<boolean> {
  const clock = fastClock();
  host.fault = ({ verb }, moment) => killer.reach(`${moment} ${verb}`);
  const options = { directory, controlPlane, host, clock, losesUnsynced: powerCut };
  const agent = await startAgent({ ...options, points: killer });
  killer.agent = agent;
  controlPlane.run(scenario.spec);
  const told = scenario.story?.({ controlPlane, host });
  const isOver = controlPlane.untilStatus(taskId, 'STOPPED');
  const isKilled = await Promise.race([killer.killed.promise.then(() => true), isOver.then(() => false)]);
  host.fault = () => {};
  if (isKilled && powerCut) host.reboot();
  agent.kill();
  await using _heir = await startAgent({ ...options, bootId: powerCut ? 'boot-2' : 'boot-1' });
  await told;
  await isOver;
  await vi.waitUntil(() => host.tasks.size === 0 && readdirSync(join(directory, 'tasks')).length === 0, {
    interval: 5,
  });
  return isKilled;
}

/** Plays it in a world of its own, checks the end, and answers whether the point was reached. */
async function playAndCheck(scenario: Scenario, killer: Killer, mode: Mode): Promise<boolean> {
  await using controlPlane = await FakeControlPlane.open();
  using directory = agentDirectory();
  const host = new FakeHost();
  const isKilled = await play({ directory: directory.path, controlPlane, host }, scenario, killer, mode);
  checkEnd(scenario, host, controlPlane, mode);
  return isKilled;
}

function checkEnd(
  { exitCodes, stopCode }: Scenario,
  host: FakeHost,
  controlPlane: FakeControlPlane,
  { powerCut }: Mode,
): void {
  const observed = controlPlane.observed.get(taskId);
  expect(observed?.status).toBe('STOPPED');
  if (!powerCut) expect(observed?.stopCode).toBe(stopCode);
  for (const [index, { name, status, exitCode, reason }] of (observed?.containers ?? []).entries()) {
    const starts = host.startsOf(taskId, name);
    expect(starts).toBeLessThanOrEqual(1);
    expect(status).toBe('STOPPED');
    // Without a power cut nothing is lost: everything was run, once, and its exit code is known.
    if (!powerCut || exitCode !== undefined) expect([starts, exitCode]).toEqual([1, exitCodes[index]]);
    else expect(reason).toBeDefined();
  }
}

const verbs = ['pullImage', 'prepareTask', 'createContainer', 'startContainer', 'removeContainer', 'removeTask'];
/** What a signal has ended. */
const isSignalled = ({ exitCodes }: Scenario): boolean => exitCodes.some((code) => code > 128);

describe.each(Object.entries(scenarios))('%s', (_, scenario) => {
  test.each([{ powerCut: false }, { powerCut: true }])('%o', async (mode) => {
    const rehearsal = new Killer(undefined);
    await playAndCheck(scenario, rehearsal, mode);
    // A kill does not care what is synced; a power cut does not care what is only written.
    const writes = mode.powerCut ? ['before sync', 'after sync'] : ['before write', 'after write'];
    const signals = isSignalled(scenario) ? ['signalContainer'] : [];
    const kinds = [...[...verbs, ...signals].flatMap((verb) => [`before ${verb}`, `after ${verb}`]), ...writes];
    for (const what of kinds) {
      let reached = 0;
      const times = rehearsal.reached.get(what) ?? 0;
      for (let nth = 1; nth <= times; nth += 1) {
        if (await playAndCheck(scenario, new Killer({ what, nth }), mode)) reached += 1;
      }
      expect(reached, what).toBeGreaterThan(0);
    }
  });
});
