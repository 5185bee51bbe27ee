/** ECS' service model, as the SDK carries it: what of a request or an answer is not of the form that it has there. */
import * as ecs from '@aws-sdk/client-ecs';
import { NormalizedSchema } from '@smithy/core/schema';
import { z } from 'zod';
import { unwrap } from '../../core/api/unknown-members.ts';

type Schema = Parameters<typeof NormalizedSchema.of>[0];

const exported = new Map<string, unknown>(Object.entries(ecs));

/** Of an operation: `[9, namespace, name, traits, input, output]`, each of the two given by a function. */
function shapeOf(operation: string, side: 'input' | 'output'): NormalizedSchema {
  const definition = exported.get(`${operation}$`);
  const shape: unknown = Array.isArray(definition) ? definition[side === 'input' ? 4 : 5] : undefined;
  if (typeof shape !== 'function') throw new Error(`the model has no operation ${operation}`);
  return NormalizedSchema.of(shape() as Schema);
}

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
