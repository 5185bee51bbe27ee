/**
 * Lives of tasks: run over REST, fetched, started, running, ended by themselves with some lines of log. Each begins after the memory
 * of functions has grown old, so that no life is cheaper for the one before it.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { getTask } from '../../control/store/tasks.ts';
import type { TaskStatus } from '../../core/model/task.ts';
import { lastStatus } from '../../core/task/status.ts';
import type { TestHost } from '../../test/cloud/test-host.ts';
import { fakeCommands } from '../../test/support/fake-runtime.ts';
import { type Counts, plus, times } from './counts.ts';
import type { CostStage } from './stage.ts';

export const family = 'cost';

/** What an unremarkable service or job has. */
export async function registerFamily({ cloud: { client } }: CostStage): Promise<void> {
  await client.call('RegisterTaskDefinition', {
    family,
    containerDefinitions: [
      {
        name: 'app',
        image: 'busybox',
        cpu: 128,
        memory: 128,
        command: fakeCommands.runsUntilStopped,
        environment: [
          { name: 'STAGE', value: 'production' },
          { name: 'LOG_LEVEL', value: 'info' },
        ],
        portMappings: [{ containerPort: 8080 }],
      },
    ],
  });
}

/** Until tasks may be placed on as many hosts. */
export async function hostsReady({ cloud: { client } }: CostStage, wanted: number): Promise<void> {
  for (;;) {
    const { hosts } = await client.call('GetHosts', { cluster: 'default' });
    if (hosts.filter(({ agentConnected, status }) => agentConnected && status === 'ACTIVE').length === wanted) return;
    await delay(100);
  }
}

/** Nothing is placed on it any more. */
export async function retire({ cloud: { client } }: CostStage, { name }: TestHost): Promise<void> {
  const { host } = await client.call('GetHost', { cluster: 'default', host: name });
  const containerInstance = host.containerInstanceArn;
  await client.call('DeregisterContainerInstance', { cluster: 'default', containerInstance, force: true });
}

export const logLines: readonly string[] = Array.from(
  { length: 10 },
  (_, n) => `2026-11-25T12:00:0${n}.000Z INFO request ${n} was answered in 12 ms`,
);

/** Longer than what functions remember of clusters and of hosts' capacity. */
export const betweenLivesMs = 1_200;

export interface LivesOptions {
  readonly lives: number;
  /** As an SDK's invocation id, it makes the call one that can be repeated. */
  readonly withToken?: boolean;
}

/**
 * Of one life, the mean. What a process reads when it starts is no part of a life: one during which a process was started, because two
 * requests came at once, is lived again. There are only so many processes, so that this ends.
 */
export async function measureLives(
  stage: CostStage,
  host: TestHost,
  { lives, withToken = false }: LivesOptions,
): Promise<Counts> {
  // The first one finds functions that know nothing yet.
  await liveOnce(stage, host, {});
  const warm: Counts[] = [];
  while (warm.length < lives) {
    await delay(betweenLivesMs);
    const started = stage.coldStarts();
    const counts = await stage.counting(() => liveOnce(stage, host, withToken ? { clientToken: randomUUID() } : {}));
    if (stage.coldStarts() === started) warm.push(counts);
  }
  return times(warm.reduce(plus), 1 / lives);
}

async function liveOnce(
  stage: CostStage,
  { machine }: TestHost,
  token: { readonly clientToken?: string },
): Promise<void> {
  const request = { taskDefinition: family, startedBy: 'bench', ...token };
  const { tasks } = await stage.cloud.client.call('RunTask', request);
  const id = tasks[0]?.taskArn.split('/').at(-1) ?? '';
  await reached(stage, id, 'RUNNING');
  for (const text of logLines) machine.logs.get(id)?.push({ at: Date.now(), container: 'app', stream: 'stdout', text });
  machine.exit(id, 'app');
  await reached(stage, id, 'STOPPED');
}

async function reached({ table }: CostStage, taskId: string, status: TaskStatus): Promise<void> {
  for (;;) {
    const task = await getTask(table, taskId);
    if (task !== undefined && lastStatus(task) === status) return;
    await delay(10);
  }
}
