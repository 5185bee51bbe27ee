/** `gantry why`: why a task waits, or why it stopped. */
import { defineCommand, exitCodes } from '../command.ts';
import { findTask } from '../find-task.ts';
import { adviceFor } from '../render/advice.ts';
import { printWhyPage } from '../render/why-page.ts';

export const whyCommand = defineCommand({
  name: 'why',
  summary: 'Say why a task waits or why it stopped, and what to do about it',
  arguments: [{ name: 'id', summary: 'a task, by any unambiguous beginning of its id, or by ARN', required: true }],
  options: {},
  examples: ['gantry why 3f2a'],
  async run(context, { args: [name = ''] }) {
    const { out } = context;
    const task = await findTask(context, name);
    const { taskArn, lastStatus, headline, stopCode, stoppedReason, explanation } = task;
    out.data({ taskArn, lastStatus, headline, stopCode, stoppedReason, explanation, advice: adviceFor(task) });
    if (!out.json) printWhyPage(task, out);
    return exitCodes.ok;
  },
});
