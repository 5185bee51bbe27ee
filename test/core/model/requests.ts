/** Requests that are right, and ways to spoil one member of them. */
import { registerTaskDefinitionInputSchema } from '../../../core/api/task-definitions.ts';
import { runTaskInputSchema } from '../../../core/api/tasks.ts';
import { newCluster } from '../../../core/model/cluster.ts';
import { normaliseRunTask } from '../../../core/model/normalise-run-task.ts';
import { normaliseTaskDefinition } from '../../../core/model/normalise-task-definition.ts';
import type { TaskDefinition } from '../../../core/model/task-definition.ts';

export const container = { name: 'app', image: 'busybox', memory: 128 };
export const definitionRequest = { family: 'web', containerDefinitions: [container] };

/** As the transports call it: parsed first. */
export const register = (request: unknown) => normaliseTaskDefinition(registerTaskDefinitionInputSchema.parse(request));

export const registerContainer = (members: object, task: object = {}) =>
  register({ ...definitionRequest, ...task, containerDefinitions: [{ ...container, ...members }] });

export const revision = (request: unknown): TaskDefinition => ({
  ...register(request).definition,
  revision: 1,
  registeredAt: 0,
  registeredBy: 'arn:aws:iam::000000000000:user/test',
});

export const runTask = (
  members: object,
  definition = revision(definitionRequest),
  definitionTags: { key: string }[] = [],
) =>
  normaliseRunTask(runTaskInputSchema.parse({ taskDefinition: 'web', ...members }), {
    cluster: newCluster({ name: 'default', createdAt: 0 }),
    definition,
    definitionTags,
  });

/** `value` in the place of `path` (`a[].b`; the first element of each list), over what `base` has there. */
export function withMember(base: unknown, path: string, value: unknown): unknown {
  return place(base, path.split('.'), value);
}

function place(base: unknown, [step, ...rest]: readonly string[], value: unknown): unknown {
  if (step === undefined) return value;
  const name = step.replace('[]', '');
  const members: Record<string, unknown> = { ...(typeof base === 'object' ? base : {}) };
  const below = members[name];
  if (!step.endsWith('[]')) return { ...members, [name]: place(below, rest, value) };
  const [first, ...others]: unknown[] = Array.isArray(below) ? below : [];
  return { ...members, [name]: [place(first, rest, value), ...others] };
}
