/** `gantry ps`: a row a task, with the column that answers the next question. */
import type { TaskView } from '../../core/api/shapes.ts';
import type { Output } from '../output.ts';
import { addressesOf, paintedStatus, revisionOf, shortId, whyCell } from './task.ts';
import { formatMoment } from './time.ts';

export function printTaskTable(tasks: readonly TaskView[], out: Output, now: number): void {
  out.table(
    ['ID', 'TASK', 'STATUS', 'HOST', 'CREATED', 'PORTS', 'WHY'],
    tasks.map((task) => [
      shortId(task),
      revisionOf(task),
      paintedStatus(task, out),
      task.hostName ?? '-',
      formatMoment(task.createdAt, { terminal: out.terminal, now }),
      addressesOf(task).join(' ') || '-',
      whyCell(task),
    ]),
  );
}
