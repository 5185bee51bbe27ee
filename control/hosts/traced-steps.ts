/** What a host has done for a task, as parts of the trace of the call that made the task: told once each is over. */
import type { Task } from '../../core/model/task.ts';
import type { ControlDeps } from '../deps.ts';

interface Step {
  readonly name: string;
  readonly from: (task: Task) => number | undefined;
  readonly to: (task: Task) => number | undefined;
}

const steps: readonly Step[] = [
  {
    name: 'wait for a host',
    from: ({ createdAt }) => createdAt,
    to: ({ placedAt, observed }) => (observed === undefined ? undefined : placedAt),
  },
  {
    name: 'pull images',
    from: ({ observed }) => observed?.pullStartedAt,
    to: ({ observed }) => observed?.pullStoppedAt,
  },
  { name: 'start', from: ({ placedAt }) => placedAt, to: ({ observed }) => observed?.startedAt },
  {
    name: 'run',
    from: ({ observed }) => observed?.startedAt,
    to: ({ observed }) => observed?.executionStoppedAt ?? observed?.stoppedAt,
  },
];

/** `seen`, as it was before its host's report. */
export function traceSteps({ tracing }: Pick<ControlDeps, 'tracing'>, seen: Task, next: Task): void {
  const { traceparent, id, hostName } = next;
  if (tracing === undefined || traceparent === undefined) return;
  for (const { name, from, to } of steps) {
    const [begun, over] = [from(next), to(next)];
    if (begun === undefined || over === undefined || to(seen) !== undefined) continue;
    const about = { 'gantry.task': id, 'gantry.host': hostName ?? '' };
    tracing.happened(name, { traceparent, from: begun, to: over, about });
  }
}
