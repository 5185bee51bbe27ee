/** JSON Schemas of inputs and outputs, for the OpenAPI document and for editors, with the table of fields as descriptions. */
import { z } from 'zod';
import type { Field, FieldTable } from '../model/field-table.ts';

export type JsonObject = Record<string, unknown>;

/** Times are RFC 3339, as REST has them. The sentences of `fields` become descriptions. */
export function jsonSchema(schema: z.ZodType, io: 'input' | 'output', fields: FieldTable = {}): JsonObject {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema: target }) => {
      if (zodSchema._zod.def.type === 'date') Object.assign(target, { type: 'string', format: 'date-time' });
      // What is not known is refused of inputs; outputs may get more members at any time.
      if (zodSchema._zod.def.type === 'object') {
        if (io === 'input') target.additionalProperties = false;
        else delete target.additionalProperties;
      }
      // Every integer of JavaScript has these; they say nothing.
      if (target.minimum === Number.MIN_SAFE_INTEGER) delete target.minimum;
      if (target.maximum === Number.MAX_SAFE_INTEGER) delete target.maximum;
    },
  });
  // Parts of a schema that are used twice are one object: written out, each place is its own.
  const whole: JsonObject = JSON.parse(JSON.stringify(rest));
  eachPart(whole, (part, path) => {
    const field = Object.hasOwn(fields, path) ? fields[path] : undefined;
    if (field !== undefined) part.description = descriptionOf(field);
  });
  return whole;
}

const beginnings = { honoured: '', recorded: 'Recorded only. ', ignored: 'Ignored. ', refused: 'Not supported yet. ' };

const descriptionOf = (field: Field): string => beginnings[field.class] + field.says;

/** The whole and everything below it by member path: `containerDefinitions[].memory`; empty for the whole. */
export function eachPart(part: JsonObject, visit: (part: JsonObject, path: string) => void, path = ''): void {
  visit(part, path);
  const { items, properties } = part;
  if (isObject(items)) eachPart(items, visit, `${path}[]`);
  if (!isObject(properties)) return;
  for (const [name, member] of Object.entries(properties))
    if (isObject(member)) eachPart(member, visit, path === '' ? name : `${path}.${name}`);
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
