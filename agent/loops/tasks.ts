/** The runners of this host's tasks: one a task while anything of it may be left on the host. Only starts them and passes events on. */
import type { TaskHost } from './execute.ts';
import { runTask, type TaskRunner } from './runner.ts';

export interface Tasks {
  /** Starts the task's runner, or tells it that its entry has changed. */
  advance(taskId: string): void;
  /** undefined: any container of any task. */
  exitSeen(taskId: string | undefined): void;
  portsFreed(): void;
  /** Resolves when every runner has come to rest; to be called after the signal has fired. */
  ended(): Promise<void>;
}

export function createTasks(host: TaskHost, signal: AbortSignal): Tasks {
  const runners = new Map<string, TaskRunner>();

  const start = (taskId: string): void => {
    const runner = runTask(host, taskId, signal);
    runners.set(taskId, runner);
    void runner.ended.then(() => runners.delete(taskId));
  };

  return {
    advance(taskId) {
      const runner = runners.get(taskId);
      if (runner === undefined) start(taskId);
      else runner.advance();
    },
    exitSeen(taskId) {
      if (taskId !== undefined) runners.get(taskId)?.exitSeen();
      else for (const runner of runners.values()) runner.exitSeen();
    },
    portsFreed() {
      for (const runner of runners.values()) runner.portsFreed();
    },
    async ended() {
      await Promise.all([...runners.values()].map((runner) => runner.ended));
    },
  };
}
