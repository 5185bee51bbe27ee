/** ECS' service model, as the SDK carries it: what of a request or an answer is not of the form that it has there. */
import * as ecs from '@aws-sdk/client-ecs';
import type { NormalizedSchema } from '@smithy/core/schema';
import { z } from 'zod';
import { shapeOf } from '../../bin/compatibility/model.ts';
import { unwrap } from '../../core/api/unknown-members.ts';

const exported = new Map<string, unknown>(Object.entries(ecs));

/** The members of an operation's request that this schema does not know, at any depth, by their paths. */
export const unreadMembers = (operation: string, schema: z.ZodType): string[] =>
  unreadOf(shapeOf(operation, 'input'), schema, operation);

function unreadOf(model: NormalizedSchema, schema: z.ZodType | undefined, path: string): string[] {
  if (schema === undefined) return [path];
  const inner = unwrap(schema);
  if (model.isListSchema() && inner instanceof z.ZodArray)
    return inner.element instanceof z.ZodType ? unreadOf(model.getValueSchema(), inner.element, `${path}[]`) : [];
  if (!model.isStructSchema() || !(inner instanceof z.ZodObject)) return [];
  const shape = new Map<string, z.ZodType>(Object.entries(inner.shape));
  return [...model.structIterator()].flatMap(([name, member]) => unreadOf(member, shape.get(name), `${path}.${name}`));
}

/** What a client of ECS could not have sent: by its path, a sentence each. */
export const requestFaults = (operation: string, request: unknown): string[] =>
  faultsOf(shapeOf(operation, 'input'), request, operation, { additive: false });

/** What a client of ECS could not read: by its path, a sentence each. Members that the model does not have are none. */
export const answerFaults = (operation: string, answer: unknown): string[] =>
  faultsOf(shapeOf(operation, 'output'), answer, operation, { additive: true });

/** Something that a client could send under this path of a request, around a value at its end. */
export function requestWith(operation: string, path: string): Readonly<Record<string, unknown>> {
  const sample = sampleAt(shapeOf(operation, 'input'), path.split('.'));
  if (typeof sample !== 'object' || sample === null) throw new Error(`${operation} has no ${path}`);
  return { ...sample };
}

/** A class of its own in the SDK. */
export const isModelledError = (code: string): boolean => typeof exported.get(code) === 'function';

function faultsOf(schema: NormalizedSchema, value: unknown, path: string, rules: { additive: boolean }): string[] {
  if (schema.isStructSchema()) return structFaults(schema, value, path, rules);
  if (schema.isListSchema()) {
    if (!Array.isArray(value)) return [`${path} is no list: ${JSON.stringify(value)}`];
    return value.flatMap((item: unknown, index) => faultsOf(schema.getValueSchema(), item, `${path}[${index}]`, rules));
  }
  if (schema.isMapSchema()) {
    if (typeof value !== 'object' || value === null) return [`${path} is no map: ${JSON.stringify(value)}`];
    return Object.entries(value).flatMap(([key, item]) =>
      faultsOf(schema.getValueSchema(), item, `${path}.${key}`, rules),
    );
  }
  return typeof value === scalarType(schema) ? [] : [`${path} is no ${scalarType(schema)}: ${JSON.stringify(value)}`];
}

/** As JSON has them: a timestamp is a number of seconds. */
function scalarType(schema: NormalizedSchema): 'string' | 'number' | 'boolean' {
  if (schema.isBooleanSchema()) return 'boolean';
  return schema.isNumericSchema() || schema.isTimestampSchema() ? 'number' : 'string';
}

function structFaults(schema: NormalizedSchema, value: unknown, path: string, rules: { additive: boolean }): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return [`${path} is no object: ${JSON.stringify(value)}`];
  const members = new Map<string, unknown>(Object.entries(value));
  const known = new Map(schema.structIterator());
  const unknown = rules.additive ? [] : [...members.keys()].filter((name) => !known.has(name));
  return [
    ...unknown.map((name) => `${path}.${name} is unknown`),
    ...[...known].flatMap(([name, member]) =>
      members.has(name) ? faultsOf(member, members.get(name), `${path}.${name}`, rules) : [],
    ),
  ];
}

function sampleAt(schema: NormalizedSchema, steps: readonly string[]): unknown {
  if (schema.isListSchema()) return [sampleAt(schema.getValueSchema(), steps)];
  if (schema.isMapSchema()) return { a: sampleAt(schema.getValueSchema(), steps) };
  if (schema.isStructSchema()) {
    const members = [...schema.structIterator()];
    const [step, ...rest] = steps;
    const wanted = step === undefined ? members : members.filter(([name]) => name === step.replace(/\[\]$/, ''));
    return Object.fromEntries(wanted.map(([name, member]) => [name, sampleAt(member, rest)]));
  }
  if (schema.isBooleanSchema()) return true;
  return schema.isNumericSchema() ? 1 : 'x';
}
