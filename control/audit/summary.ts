/**
 * What of a call's input is written down: what it is about, and of the rest only members that are listed here, because they hold no
 * secrets. Whatever a new member is, it is withheld until somebody lists it. Pure; takes input that no schema has seen.
 */
import { parseArn } from '../../core/arn.ts';
import type { AuditEntry } from '../store/audit.ts';

export type Summary = Pick<AuditEntry, 'cluster' | 'resources' | 'parameters' | 'withheld'>;

/** Members by which an input names what it is about. */
const naming: ReadonlySet<string> = new Set([
  'accessKeyId',
  'capacityProvider',
  'clusterName',
  'containerInstance',
  'containerInstances',
  'family',
  'host',
  'instanceIds',
  'resourceArn',
  'task',
  'taskDefinition',
  'taskDefinitions',
  'tasks',
  'userName',
  'webhook',
]);

/** Texts, numbers, switches and lists of texts. Of lists of objects, each by what it is told apart by. */
const shown: ReadonlySet<string> = new Set([
  'actions',
  'attributes',
  'capacityProviders',
  'clusters',
  'containerDefinitions',
  'count',
  'cpu',
  'cpuLimit',
  'enableECSManagedTags',
  'force',
  'group',
  'hostAccess',
  'kind',
  'launchType',
  'lifetimeSeconds',
  'maxEvents',
  'maxWaitingTasks',
  'memory',
  'name',
  'networkMode',
  'placementTimeoutSeconds',
  'principalArn',
  'propagateTags',
  'protectionEnabled',
  'reason',
  'referenceId',
  'registry',
  'reusable',
  'revision',
  'settings',
  'skipWaiting',
  'startedBy',
  'status',
  'tagKeys',
  'tags',
  'taskRoleArn',
  'taskRoles',
  'timeoutSeconds',
  'value',
]);

/** What tells objects of a list apart, by the first of these that each has. */
const keyMembers = ['name', 'key', 'capacityProvider', 'targetId'] as const;

const most = { characters: 128, entries: 10, members: 24 };

export function summaryOf(input: unknown): Summary {
  const members = Object.entries(Object(input)).slice(0, most.members);
  const resources: string[] = [];
  const parameters: Record<string, Summary['parameters'][string]> = {};
  const withheld: string[] = [];
  for (const [name, value] of members) {
    if (value === undefined || name === 'cluster') continue;
    const told = naming.has(name) || shown.has(name) ? toldOf(value) : undefined;
    if (told === undefined) withheld.push(shortened(name));
    else if (naming.has(name)) resources.push(...[told].flat().map(String));
    else parameters[name] = told;
  }
  const cluster = clusterOf(Object(input));
  return {
    ...(cluster !== undefined && { cluster }),
    resources,
    parameters,
    ...(withheld.length > 0 && { withheld }),
  };
}

function toldOf(value: unknown): Summary['parameters'][string] | undefined {
  if (typeof value === 'string') return shortened(value);
  // Others may be of a size that no store has.
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : String(value);
  if (typeof value === 'boolean') return value;
  if (!Array.isArray(value)) return undefined;
  const entries = value.slice(0, most.entries).map(entryOf);
  return value.length > most.entries ? [...entries, `and ${value.length - most.entries} more`] : entries;
}

function entryOf(entry: unknown): string {
  if (typeof entry === 'string' || typeof entry === 'number') return shortened(String(entry));
  const member = keyMembers.map((key) => memberOf(entry, key)).find((found) => typeof found === 'string');
  return typeof member === 'string' ? shortened(member) : '?';
}

export const shortened = (text: string, characters = most.characters): string =>
  text.length <= characters ? text : `${text.slice(0, characters - 1)}…`;

/** Of the cluster that is named, or within the ARN of what is. */
function clusterOf(input: unknown): string | undefined {
  for (const name of ['cluster', 'clusterName', 'resourceArn']) {
    const value = memberOf(input, name);
    if (typeof value !== 'string') continue;
    const arn = parseArn(value);
    if (arn === undefined) return name === 'resourceArn' ? undefined : shortened(value);
    const isWithin = arn.kind === 'cluster' || arn.path.length > 1;
    return isWithin ? arn.path[0] : undefined;
  }
  return undefined;
}

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, name)?.value : undefined;
