/** `gantry why`: why a task waits, or why it stopped. */
import type { TaskView } from '../../core/api/shapes.ts';
import { defineCommand, exitCodes } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { findTask } from '../find-task.ts';
import { adviceFor } from '../render/advice.ts';
import type { ProviderOrder } from '../render/capacity-page.ts';
import { clusterOf, taskIdOf } from '../render/task.ts';
import { printWhyPage } from '../render/why-page.ts';

export const whyCommand = defineCommand({
  name: 'why',
  summary: 'Say why a task waits or why it stopped, and what to do about it',
  arguments: [
    {
      name: 'id',
      summary: 'a task, by any unambiguous beginning of its id, or by ARN',
      required: true,
      completes: ['task'],
    },
  ],
  options: {},
  examples: ['gantry why 3f2a'],
  async run(context, { args: [name = ''] }) {
    const { out } = context;
    const task = await findTask(context, name);
    const { taskArn, lastStatus, headline, stopCode, stoppedReason } = task;
    const { hostGoes, replacedByTaskArn, explanation, capacityNote, timesOutAt } = task;
    const onOrder = lastStatus === 'PROVISIONING' ? await orderedFor(context, task) : [];
    const now = { taskArn, lastStatus, headline, stopCode, stoppedReason };
    const about = { ...now, hostGoes, replacedByTaskArn, explanation, capacityNote, timesOutAt };
    out.data({ ...about, ...(onOrder.length > 0 && { onOrder }), advice: adviceFor(task) });
    if (!out.json) printWhyPage(task, onOrder, out, context.now());
    return exitCodes.ok;
  },
});

/** What was bought for it and has not come yet. */
async function orderedFor({ client }: CommandContext, task: TaskView): Promise<ProviderOrder[]> {
  const { providers } = await client().call('GetCapacity', { cluster: clusterOf(task) });
  const id = taskIdOf(task);
  return providers.flatMap(({ name, onOrder }) =>
    onOrder.filter(({ tasks }) => tasks.includes(id)).map((order) => ({ ...order, capacityProvider: name })),
  );
}
