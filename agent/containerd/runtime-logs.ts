/** What a Runtime knows of its containers' logs: the keeper of what they write, and when a reader has seen everything. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import type { RuntimeConfig } from '../config.ts';
import type { Brake } from '../logs/awslogs/shipping.ts';
import { LogKeeper } from '../logs/log-keeper.ts';
import { readTaskLogs, type TaskLife } from '../logs/log-reader.ts';
import { LogStore } from '../logs/log-store.ts';
import { LogShippers } from '../logs/shippers.ts';
import type { Runtime } from '../runtime.ts';
import type { NamespacedContainerd } from './client.ts';
import type { RuntimeFiles } from './runtime-files.ts';
import { runtimeIdOf } from './runtime-naming.ts';
import { pauseProcess, resumeProcess } from './runtime-processes.ts';

export interface LogParts {
  readonly config: Pick<RuntimeConfig, 'stateDirectory' | 'cloudWatchLogsEndpoint'>;
  readonly containerd: NamespacedContainerd;
  readonly files: RuntimeFiles;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Goes on with the logs of tasks that are on this host. */
export async function openLogs({ config, containerd, files, clock, log }: LogParts): Promise<LogKeeper> {
  const shippers = new LogShippers({
    endpoint: config.cloudWatchLogsEndpoint,
    containerId: runtimeIdOf,
    brakeOf: (taskId, container) => brakeOf({ containerd, files }, taskId, container),
    clock,
    random: Math.random,
    log,
  });
  const store = new LogStore(join(config.stateDirectory, 'logs'));
  const keeper = new LogKeeper(store, { clock, log, shippers });
  const here = new Set(await files.tasks());
  await keeper.takeUp((taskId) => here.has(taskId));
  return keeper;
}

/** The kernel stops all of its processes where they are: what they would write next is not written, and nothing is lost. */
function brakeOf(
  { containerd, files }: Pick<LogParts, 'containerd' | 'files'>,
  taskId: string,
  container: string,
): Brake {
  const each = async (action: typeof pauseProcess): Promise<void> => {
    const runtimeId = await files.runtimeId(taskId, container);
    if (runtimeId !== undefined) await action(containerd, runtimeId);
  };
  return { hold: () => each(pauseProcess), release: () => each(resumeProcess) };
}

export interface LogReaderParts {
  readonly runtime: Pick<Runtime, 'containerState' | 'onExit'>;
  readonly files: RuntimeFiles;
  readonly logs: LogKeeper;
  readonly clock: Clock;
}

export function readLogs(
  { runtime, files, logs, clock }: LogReaderParts,
  taskId: string,
  options: Parameters<Runtime['readLogs']>[1],
): ReturnType<Runtime['readLogs']> {
  const life: TaskLife = {
    async isOver(id, containers) {
      if (!(await files.hasTask(id))) return true;
      const alive = await Promise.all(
        containers.map(async (name) => {
          const state = await runtime.containerState(id, name);
          if (state !== undefined) return state.state === 'created' || state.state === 'running';
          return !(await logs.store.isCreated(id, name)); // It is yet to come; otherwise it has been removed.
        }),
      );
      return !alive.includes(true);
    },
    ringOnChange: (id, bell) =>
      runtime.onExit((changed) => {
        if (changed === undefined || changed === id) bell.ring();
      }),
  };
  return readTaskLogs({ keeper: logs, life, clock }, taskId, options);
}
