/** What an expression may ask of a host, which operators each subject takes, and in what form a value is compared with it. */
import type { HostCapacity } from '../model/host.ts';
import { attributeOf } from '../placement/capacity.ts';

export type Comparator = '==' | '!=' | '>' | '>=' | '<' | '<=' | 'exists' | '!exists' | 'in' | '!in' | '=~' | '!~';

/** What is looked at of a host. */
export type QueriedHost = Pick<
  HostCapacity,
  'connected' | 'attributes' | 'groups' | 'taskCount' | 'agentVersion' | 'registeredAt' | 'instanceId'
>;

export interface Subject {
  readonly takes: readonly Comparator[];
  /** What values must be, for people. */
  readonly form: string;
  /** What the host has of it: nothing, one value, or of task:group several. */
  readonly of: (host: QueriedHost) => readonly string[];
  /** A value as it is compared; undefined where it has another form. */
  readonly read: (value: string) => string | number | undefined;
}

const known: readonly Comparator[] = ['exists', '!exists', '==', '!=', 'in', '!in'];
const matched: readonly Comparator[] = ['=~', '!~'];
const ordered: readonly Comparator[] = ['>', '>=', '<', '<='];

const anyText = { form: 'a value', read: (value: string) => value };
const some = <T>(value: T | undefined, text: (value: T) => string = String): string[] =>
  value === undefined ? [] : [text(value)];

const fixed: Readonly<Record<string, Subject>> = {
  agentConnected: {
    takes: [...known, ...matched],
    form: 'true or false',
    of: ({ connected }) => [String(connected)],
    read: (value) => (value === 'true' || value === 'false' ? value : undefined),
  },
  agentVersion: {
    takes: [...known, ...ordered],
    form: 'a version like 1.2.3',
    of: ({ agentVersion }) => some(agentVersion),
    read: versionKey,
  },
  ec2InstanceId: { takes: [...known, ...matched], ...anyText, of: ({ instanceId }) => some(instanceId) },
  registeredAt: {
    takes: [...known, ...ordered],
    form: 'a time like 2018-06-18 or 2018-06-18T22:28:28Z',
    of: ({ registeredAt }) => some(registeredAt, (at) => new Date(at).toISOString()),
    read: instantOf,
  },
  runningTasksCount: {
    takes: [...known, ...ordered],
    form: 'a whole number',
    of: ({ taskCount }) => [String(taskCount)],
    read: (value) => (/^\d{1,9}$/.test(value) ? Number(value) : undefined),
  },
  'task:group': { takes: [...known, ...matched], ...anyText, of: ({ groups }) => Object.keys(groups) },
};

export const attributeSubject = 'attribute:';
export const subjectNames = `${attributeSubject}NAME, ${Object.keys(fixed).join(', ')}`;

/** `name` as the parser has found it. */
export function subjectOf(name: string): Subject | undefined {
  if (Object.hasOwn(fixed, name)) return fixed[name];
  if (!name.startsWith(attributeSubject)) return undefined;
  const attribute = name.slice(attributeSubject.length);
  const of = (host: QueriedHost) => some(attributeOf(host, attribute));
  return { takes: [...known, ...matched, ...ordered], ...anyText, of };
}

/** Numbers by their amount, other texts by their characters. */
export function isLess(a: string | number, b: string | number): boolean {
  const [x, y] = [Number(a), Number(b)];
  return a === '' || b === '' || Number.isNaN(x) || Number.isNaN(y) ? String(a) < String(b) : x < y;
}

/** Ordered as texts; 1.2 is 1.2.0. */
function versionKey(value: string): string | undefined {
  const parts = /^v?(\d{1,9}(?:\.\d{1,9})*)(?:[-+].*)?$/s
    .exec(value)?.[1]
    ?.replace(/(?:\.0+)+$/, '')
    .split('.');
  return parts && `v${parts.map((part) => part.padStart(9, '0')).join('.')}`;
}

/** Without an offset it is UTC. */
function instantOf(value: string): number | undefined {
  const [, day, time = 'T00:00:00', offset = 'Z'] =
    /^(\d{4}-\d\d-\d\d)(?:(T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)(Z|[+-]\d\d:\d\d)?)?$/.exec(value) ?? [];
  const at = Date.parse(`${day}${time}${offset}`);
  return Number.isNaN(at) ? undefined : at;
}
