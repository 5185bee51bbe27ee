/** `gantry plan run`: where tasks would go and what would be bought for them. Nothing is registered, run or bought. */
import type { Input } from '../../core/api/operations.ts';
import { defineCommand, exitCodes } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { readTaskDefinition } from '../register-file.ts';
import { printPlanPage } from '../render/plan-page.ts';
import { noteWarnings } from '../render/warnings.ts';
import { requestMembers, requestOptions, taskArgument, taskIsFile } from '../run-request.ts';

export const planRunCommand = defineCommand({
  name: 'plan run',
  summary: 'Say where tasks would go and what would be bought for them; nothing is done',
  details: [
    'It looks at hosts, at what is on order and at what may be bought as of now, and takes the options of `gantry run` that say where ' +
      'tasks may go. Ends with 2 where one of them would not run.',
  ],
  arguments: [taskArgument],
  options: requestOptions,
  examples: ['gantry plan run hello --count 50', 'gantry plan run examples/hello.json --launch-type EC2'],
  async run(context, { args: [named = ''], options }) {
    const { out, client, cluster, signal } = context;
    const request = { ...requestMembers(options), cluster, ...(await subjectOf(context, named)) };
    const plan = await client().call('PlanTasks', request, signal);
    noteWarnings(plan.warnings, out);
    out.data(plan);
    if (!out.json) printPlanPage(plan, out);
    return plan.unmet.length > 0 ? exitCodes.notPlaced : exitCodes.ok;
  },
});

async function subjectOf(
  { readFile }: CommandContext,
  named: string,
): Promise<Pick<Input<'PlanTasks'>, 'taskDefinition' | 'definition'>> {
  if (!taskIsFile(named)) return { taskDefinition: named };
  const { content } = await readTaskDefinition(readFile, named);
  // Whatever is in the file goes out: the control plane judges it, and names the member.
  return { definition: content as NonNullable<Input<'PlanTasks'>['definition']> };
}
