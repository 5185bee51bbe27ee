/**
 * A revision as fields, each with its path and its value as text, so that revisions can be read and compared field by field. What a
 * revision is called, when it was registered and what the control plane derives from the rest is no field of it.
 */
import type { TaskDefinitionView } from '../core/api/shapes.ts';
import { compact } from '../core/compact.ts';

export interface DefinitionChange {
  /** `containerDefinitions[app].environment[MODE]`. */
  readonly path: string;
  /** Absent where the field was not there before. */
  readonly from?: string;
  /** Absent where it is there no more. */
  readonly to?: string;
}

/** Members that identify an element of a list: a place in a list says nothing about what stands there. */
const identities = ['containerName', 'containerPort', 'containerPortRange', 'name', 'key'] as const;

export function fieldsOf(definition: TaskDefinitionView): ReadonlyMap<string, string> {
  const {
    taskDefinitionArn: _arn,
    family: _family,
    revision: _revision,
    status: _status,
    registeredAt: _registeredAt,
    registeredBy: _registeredBy,
    deregisteredAt: _deregisteredAt,
    deleteRequestedAt: _deleteRequestedAt,
    compatibilities: _compatibilities,
    requiresAttributes: _requiresAttributes,
    ...fields
  } = definition;
  return new Map(flatten('', fields));
}

/** By path. */
export function changesBetween(before: TaskDefinitionView, after: TaskDefinitionView): DefinitionChange[] {
  const [old, fresh] = [fieldsOf(before), fieldsOf(after)];
  const paths = [...new Set([...old.keys(), ...fresh.keys()])].sort((a, b) => a.localeCompare(b, 'en'));
  return paths.flatMap((path): DefinitionChange[] => {
    const [from, to] = [old.get(path), fresh.get(path)];
    return from === to ? [] : [compact({ path, from, to })];
  });
}

function flatten(path: string, value: unknown): (readonly [string, string])[] {
  if (Array.isArray(value)) return flattenList(path, value);
  if (typeof value !== 'object' || value === null) return [[path, textOf(value)]];
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return members.flatMap(([name, member]) => flatten(path === '' ? name : `${path}.${name}`, member));
}

function flattenList(path: string, items: readonly unknown[]): (readonly [string, string])[] {
  // ECS echoes lists that nobody set.
  if (items.length === 0) return [];
  // Words of a command belong together.
  if (items.every((item) => typeof item !== 'object')) return [[path, JSON.stringify(items)]];
  return items.flatMap((item, index) => {
    const { identity, others } = identified(item, index);
    const keys = Object.keys(others);
    const only = keys.length === 1 && keys[0] === 'value' ? others.value : others;
    return flatten(`${path}[${identity}]`, only);
  });
}

function identified(item: unknown, index: number): { identity: string; others: Readonly<Record<string, unknown>> } {
  const members: Record<string, unknown> = { ...(typeof item === 'object' ? item : {}) };
  const name = identities.find((one) => members[one] !== undefined);
  if (name === undefined) return { identity: String(index), others: members };
  const { [name]: identity, ...others } = members;
  if (!name.startsWith('containerPort')) return { identity: textOf(identity), others };
  const { protocol, ...ofPort } = others;
  return { identity: `${textOf(identity)}/${textOf(protocol)}`, others: ofPort };
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
