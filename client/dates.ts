/** Answers carry times as RFC 3339 text; the schemas of the table say Date. */
import { z } from 'zod';

/** The same schema, reading text where the given one wants a Date. */
export function readableDates<T extends z.ZodType>(schema: T): z.ZodType<z.output<T>> {
  return z.preprocess((value) => revive(schema, value), schema) as z.ZodType<z.output<T>>;
}

function revive(schema: z.ZodType, value: unknown): unknown {
  if (schema instanceof z.ZodDate) return typeof value === 'string' ? new Date(value) : value;
  if (schema instanceof z.ZodOptional) return revive(asSchema(schema.unwrap()), value);
  if (schema instanceof z.ZodArray && Array.isArray(value)) {
    const element = asSchema(schema.element);
    return value.map((item) => revive(element, item));
  }
  if (!(schema instanceof z.ZodObject) || typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      Object.hasOwn(schema.shape, name) ? revive(asSchema(schema.shape[name]), member) : member,
    ]),
  );
}

/** zod types the schemas inside others by its core; all of ours are made by its classic face. */
function asSchema(schema: unknown): z.ZodType {
  if (schema instanceof z.ZodType) return schema;
  throw new TypeError('not a schema');
}
