/** Many containers at once, through Gantry and by the bare calls: what each takes until all run, and until nothing is left of any. */
import { setTimeout as delay } from 'node:timers/promises';
import { listContainerNetns } from '../../agent/network/names.ts';
import type { Client } from '../../client/client.ts';
import type { HostPlan } from '../../local/host-plan.ts';
import type { Contender } from '../start/contender.ts';

/** Ends at once when it is asked to, as a well-made program does. */
export const command = ['sh', '-c', 'trap "exit 0" TERM; sleep 86400 & wait'];

export interface Crowd {
  /** Resolves when this many run; then `end` ends them all. */
  begin(count: number, signal: AbortSignal): Promise<{ end(): Promise<void> }>;
}

/** Each look costs the control plane a little; the whole takes some seconds. */
const lookEveryMs = 250;
const stopsAtOnce = 16;

/** One RunTask, and a StopTask for each. */
export function gantryCrowd(client: Client, host: HostPlan): Crowd {
  const taskCounts = async () => {
    const { clusters } = await client.call('DescribeClusters', {});
    const [cluster] = clusters;
    if (cluster === undefined) throw new Error('The cluster is gone.');
    const { runningTasksCount: running, pendingTasksCount: pending } = cluster;
    return { running, all: running + pending };
  };
  const until = async (isTrue: () => Promise<boolean> | boolean, signal: AbortSignal): Promise<void> => {
    while (!(await isTrue())) await delay(lookEveryMs, undefined, { signal });
  };
  return {
    async begin(count, signal) {
      const overrides = { containerOverrides: [{ name: 'app', command }] };
      const { tasks, failures } = await client.call('RunTask', { taskDefinition: 'bench', count, overrides });
      if (tasks.length < count) throw new Error(`Only ${tasks.length} were placed: ${JSON.stringify(failures[0])}`);
      await until(async () => (await taskCounts()).running >= count, signal);
      return {
        async end() {
          await atOnce(stopsAtOnce, tasks, ({ taskArn }) => client.call('StopTask', { task: taskArn }));
          await until(async () => (await taskCounts()).all === 0, signal);
          await until(() => listContainerNetns(host.containerdNamespace).length === 0, signal);
        },
      };
    },
  };
}

/** The calls of the bench `start`, so many containers at once. */
export const bareCrowd = (bare: Contender, width: number): Crowd => ({
  async begin(count, signal) {
    const started = await atOnce(width, Array.from({ length: count }), () => {
      signal.throwIfAborted();
      return bare.start(command);
    });
    return {
      async end() {
        await atOnce(width, started, async (container) => {
          await container.stop?.();
          await container.remove();
        });
      },
    };
  },
});

async function atOnce<T, R>(width: number, items: readonly T[], act: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const next = items.values();
  const work = async (): Promise<void> => {
    for (const item of next) results.push(await act(item));
  };
  await Promise.all(Array.from({ length: width }, work));
  return results;
}
