/**
 * Callers that make a control plane write without pause, and remember what they were answered: only what was acknowledged counts. They go
 * on until a call is not answered, as when its machine is gone.
 */
import type { Client } from '../../client/client.ts';

export interface Acknowledged {
  /** ARNs, each registered once. */
  readonly revisions: string[];
  readonly tasks: string[];
  /** Reasons by ARN. */
  readonly stops: Map<string, string>;
}

export const noneYet = (): Acknowledged => ({ revisions: [], tasks: [], stops: new Map() });

export const countOf = ({ revisions, tasks, stops }: Acknowledged): number =>
  revisions.length + tasks.length + stops.size;

/** One of them. `onAnswer` is told of each acknowledgement once it is remembered. Resolves with what ended it. */
export async function callUntilSilence(
  client: Client,
  { family, command, acknowledged, onAnswer }: CallerOptions,
): Promise<unknown> {
  const container = { name: 'main', image: 'busybox', memory: 8, cpu: 1, command };
  try {
    for (let round = 0; ; round++) {
      const { taskDefinition } = await client.call('RegisterTaskDefinition', {
        family,
        containerDefinitions: [{ ...container, environment: [{ name: 'ROUND', value: `${round}` }] }],
      });
      acknowledged.revisions.push(taskDefinition.taskDefinitionArn);
      onAnswer();
      const { tasks } = await client.call('RunTask', { taskDefinition: family, count: 1 + (round % 3) });
      acknowledged.tasks.push(...tasks.map(({ taskArn }) => taskArn));
      onAnswer();
      // What stays runs, or waits for room.
      const [task] = tasks;
      if (task === undefined) continue;
      const reason = `${family} has had enough in round ${round}`;
      await client.call('StopTask', { cluster: 'default', task: task.taskArn, reason });
      acknowledged.stops.set(task.taskArn, reason);
      onAnswer();
    }
  } catch (error) {
    return error;
  }
}

export interface CallerOptions {
  readonly family: string;
  readonly command: string[];
  readonly acknowledged: Acknowledged;
  readonly onAnswer: () => void;
}
