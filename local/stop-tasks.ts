/** Stops every task of every cluster through the API, and waits until each has stopped. */
import type { Client } from '../client/client.ts';

/** Beyond a task's own stopTimeout: for the host to take it apart and report. A host that does not come back is not waited for longer. */
const graceMs = 60_000;

/** Throws an Error naming the tasks that did not stop. */
export async function stopAllTasks(client: Client, say: (line: string) => void): Promise<void> {
  const tasks = await unstoppedTasks(client);
  if (tasks.length === 0) return;
  say(`stopping ${tasks.length} task${tasks.length === 1 ? '' : 's'}`);
  const deadline = AbortSignal.timeout(graceMs);
  const left: string[] = [];
  await Promise.all(
    tasks.map(async ({ cluster, task }) => {
      await client.call('StopTask', { cluster, task, reason: 'The cloud was taken down' });
      if (!(await hasStopped(client, { cluster, task }, deadline))) left.push(task);
    }),
  );
  if (left.length > 0) throw new Error(`${left.join(', ')} did not stop in ${graceMs / 1000} s`);
}

async function hasStopped(
  client: Client,
  name: { cluster: string; task: string },
  signal: AbortSignal,
): Promise<boolean> {
  while (!signal.aborted) {
    const { reached } = await client.call('GetTask', { ...name, wait: 'stopped', timeout: 5 });
    if (reached === 'yes') return true;
  }
  return false;
}

async function unstoppedTasks(client: Client): Promise<{ cluster: string; task: string }[]> {
  const found: { cluster: string; task: string }[] = [];
  const { clusterArns } = await client.call('ListClusters', {});
  for (const cluster of clusterArns.map((arn) => arn.split('/').at(-1) ?? ''))
    for (const desiredStatus of ['RUNNING', 'STOPPED'] as const)
      for await (const task of tasksOf(client, cluster, desiredStatus)) found.push({ cluster, task });
  return found;
}

/** Ids of the tasks that have not stopped yet. */
async function* tasksOf(client: Client, cluster: string, desiredStatus: 'RUNNING' | 'STOPPED'): AsyncGenerator<string> {
  let nextToken: string | undefined;
  do {
    const page = await client.call('GetTasks', {
      cluster,
      desiredStatus,
      ...(nextToken !== undefined && { nextToken }),
    });
    for (const task of page.tasks) if (task.lastStatus !== 'STOPPED') yield task.taskArn.split('/').at(-1) ?? '';
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
}
