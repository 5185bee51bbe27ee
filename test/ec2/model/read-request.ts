/**
 * From EC2's query parameters (`Filter.1.Name=…`) to the structure they stand for, by the model that the SDK carries of each request.
 * What the model does not have, has otherwise or must have is refused with EC2's codes, each naming the parameter.
 */
import { NormalizedSchema } from '@smithy/core/schema';
import { invalidValue, missingParameter, unknownParameter } from '../errors.ts';
import { wordsOf } from './enumerations.ts';

interface Node {
  value?: string;
  readonly children: Map<string, Node>;
}

/** @param parameters without Action and Version */
export function readRequest(schema: Parameters<typeof NormalizedSchema.of>[0], parameters: URLSearchParams): unknown {
  const root: Node = { children: new Map() };
  for (const [path, value] of parameters) {
    const node = path.split('.').reduce(childOf, root);
    if (node.value !== undefined) throw invalidValue(path, value, 'It is given more than once.');
    node.value = value;
  }
  return readStructure(NormalizedSchema.of(schema), root, '');
}

function childOf(node: Node, key: string): Node {
  const child = node.children.get(key) ?? { children: new Map() };
  node.children.set(key, child);
  return child;
}

function readStructure(schema: NormalizedSchema, node: Node, path: string): Record<string, unknown> {
  if (node.value !== undefined) throw unknownParameter(path);
  const result: Record<string, unknown> = {};
  const unread = new Set(node.children.keys());
  let position = 0;
  for (const [name, member] of schema.structIterator()) {
    const key = wireName(name, member);
    const memberPath = path === '' ? key : `${path}.${key}`;
    const child = node.children.get(key);
    unread.delete(key);
    if (child !== undefined) result[name] = readMember(schema, member, child, memberPath);
    else if (position < requiredCount(schema)) throw missingParameter(memberPath);
    position += 1;
  }
  for (const key of unread) throw unknownParameter(firstPath(node, key, path));
  return result;
}

/** As the query protocol of EC2 has it: its own name, else that of XML or of the member with a capital. */
function wireName(name: string, member: NormalizedSchema): string {
  const { ec2QueryName, xmlName } = member.getMergedTraits();
  if (typeof ec2QueryName === 'string') return ec2QueryName;
  const key = typeof xmlName === 'string' ? xmlName : name;
  return key.charAt(0).toUpperCase() + key.slice(1);
}

/** The members that must be there come first, and the structure says how many they are. */
function requiredCount(schema: NormalizedSchema): number {
  const definition = schema.getSchema();
  const count: unknown = Array.isArray(definition) ? definition[6] : undefined;
  return typeof count === 'number' ? count : 0;
}

/** A parameter that was really sent, where only the beginning of its path is known. */
function firstPath(node: Node, key: string, path: string): string {
  const here = path === '' ? key : `${path}.${key}`;
  const child = node.children.get(key);
  const [below] = child?.value === undefined ? (child?.children.keys() ?? []) : [];
  return child === undefined || below === undefined ? here : firstPath(child, below, here);
}

function readMember(structure: NormalizedSchema, member: NormalizedSchema, node: Node, path: string): unknown {
  const value = read(member, node, path);
  const words = wordsOf(structure.getName(), member.getMemberName());
  if (typeof value === 'string' && words?.includes(value) === false) throw invalidValue(path, value);
  return value;
}

function read(schema: NormalizedSchema, node: Node, path: string): unknown {
  if (schema.isStructSchema()) return readStructure(schema, node, path);
  if (schema.isListSchema()) return readList(schema, node, path);
  const [below] = node.children.keys();
  if (below !== undefined) throw unknownParameter(firstPath(node, below, path));
  return readScalar(schema, node.value ?? '', path);
}

function readList(schema: NormalizedSchema, node: Node, path: string): unknown[] {
  if (node.value !== undefined) throw unknownParameter(path);
  const keys = [...node.children.keys()];
  const odd = keys.find((key) => !/^[1-9]\d{0,4}$/.test(key));
  if (odd !== undefined) throw unknownParameter(firstPath(node, odd, path));
  return keys
    .toSorted((a, b) => Number(a) - Number(b))
    .map((key) => read(schema.getValueSchema(), childOf(node, key), `${path}.${key}`));
}

function readScalar(schema: NormalizedSchema, value: string, path: string): unknown {
  if (schema.isBooleanSchema()) {
    if (!/^(true|false)$/i.test(value)) throw invalidValue(path, value, 'It must be true or false.');
    return value.toLowerCase() === 'true';
  }
  if (schema.isNumericSchema()) {
    if (!/^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value)) throw invalidValue(path, value, 'It must be a number.');
    return Number(value);
  }
  if (schema.isTimestampSchema()) {
    const time = /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(value) ? new Date(value) : new Date(Number.NaN);
    if (Number.isNaN(time.getTime()))
      throw invalidValue(path, value, 'It must be a time such as 2026-01-31T12:00:00Z.');
    return time;
  }
  if (schema.isBlobSchema()) return Buffer.from(value, 'base64');
  if (value === '') throw invalidValue(path, value, 'It must not be empty.');
  return value;
}
