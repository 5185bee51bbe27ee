/** A registered revision as the file that would register it again: what a client says of it, and nothing that the control plane adds. */
import { stringify } from 'yaml';
import type { Output as Answer } from '../core/api/operations.ts';
import { registerTaskDefinitionInputSchema } from '../core/api/task-definitions.ts';

const members = Object.keys(registerTaskDefinitionInputSchema.shape);

export function definitionFile({ taskDefinition, tags }: Answer<'DescribeTaskDefinition'>): string {
  const given = Object.entries({ ...taskDefinition, tags }).filter(([name]) => members.includes(name));
  return stringify(withoutEmptyLists(Object.fromEntries(given)), { lineWidth: 0 });
}

/** ECS echoes lists that nobody set. */
function withoutEmptyLists(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmptyLists);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([, member]) => !(Array.isArray(member) && member.length === 0));
  return Object.fromEntries(kept.map(([name, member]) => [name, withoutEmptyLists(member)]));
}
