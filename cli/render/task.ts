/** One task in words and cells: what its row, its page and the story as it happens have in common. */
import type { ContainerView, TaskView } from '../../core/api/shapes.ts';
import { containerSpan, hostSpan, spanText } from '../../core/model/port-span.ts';
import type { Output, Style } from '../output.ts';
import { oneLine } from './text.ts';

/** As many characters of an id as people can be asked to read; commands take any unambiguous beginning. */
const shortIdLength = 12;

export const taskIdOf = ({ taskArn }: Pick<TaskView, 'taskArn'>): string => lastPart(taskArn);
export const shortId = (task: Pick<TaskView, 'taskArn'>): string => taskIdOf(task).slice(0, shortIdLength);
/** `hello:3`. */
export const revisionOf = ({ taskDefinitionArn }: { readonly taskDefinitionArn: string }): string =>
  lastPart(taskDefinitionArn);
export const clusterOf = ({ clusterArn }: Pick<TaskView, 'clusterArn'>): string => lastPart(clusterArn);

const lastPart = (arn: string): string => arn.slice(arn.lastIndexOf('/') + 1);

function statusStyle(task: TaskView): Style {
  if (task.lastStatus === 'RUNNING') return 'green';
  if (task.lastStatus !== 'STOPPED') return 'yellow';
  return endedWell(task) ? 'dim' : 'red';
}

/** Whether nothing of it calls for a look: its containers ended with 0, or it was asked to stop. */
function endedWell({ containers, stopCode }: TaskView): boolean {
  return stopCode === 'UserInitiated' || containers.every(({ exitCode }) => exitCode === 0);
}

export const paintedStatus = (task: TaskView, out: Output): string => out.paint(statusStyle(task), task.lastStatus);

/** Its state in one sentence whose subject is the task. Parts of it were written by programs and by people. */
export const headlineOf = ({ headline }: TaskView): string => oneLine(headline);

/** What a person asks about it next; nothing of a task that simply runs. The status stands beside it, and room is short. */
export function whyCell(task: TaskView): string {
  if (task.lastStatus === 'RUNNING') return '';
  const headline = headlineOf(task).replace(/^stopped: /, '');
  // Of what a container's end brought about, that end says more than the reason before it, which is always the same.
  return /^(?:Essential container in task exited|Task failed to start) \((.*)\)$/s.exec(headline)?.[1] ?? headline;
}

/** `10.213.0.2:32768->80/tcp`, once bound; of a range `10.213.0.2:32768-32770->8000-8002/tcp`. */
export const addressesOf = (task: TaskView, containers: readonly ContainerView[] = task.containers): string[] =>
  containers.flatMap(({ networkBindings }) =>
    networkBindings.map((binding) => {
      const { bindIP, protocol } = binding;
      // Bound to every address: the host's own is the one to use.
      const address = bindIP === '0.0.0.0' ? (task.hostAddress ?? bindIP) : bindIP;
      return `${address}:${spanText(hostSpan(binding))}->${spanText(containerSpan(binding))}/${protocol}`;
    }),
  );
