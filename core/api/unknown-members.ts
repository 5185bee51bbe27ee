/** Finds the members of a value that its schema does not know, by path: REST refuses them, since they are mostly misspelled. */
import { z } from 'zod';

/** For example `containerDefinitions[0].memroy`. */
export function unknownMembers(schema: z.ZodType, value: unknown, path = ''): string[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodArray && Array.isArray(value)) {
    const element = inner.element;
    return element instanceof z.ZodType
      ? value.flatMap((item, index) => unknownMembers(element, item, `${path}[${index}]`))
      : [];
  }
  if (!(inner instanceof z.ZodObject) || typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const memberPath = path === '' ? name : `${path}.${name}`;
    const known: unknown = Object.hasOwn(inner.shape, name) ? inner.shape[name] : undefined;
    return known instanceof z.ZodType ? unknownMembers(known, member, memberPath) : [memberPath];
  });
}

/** The schema below `optional` and `default`. */
export function unwrap(schema: z.ZodType): z.ZodType {
  if (!(schema instanceof z.ZodOptional) && !(schema instanceof z.ZodDefault)) return schema;
  const inner = schema.unwrap();
  return inner instanceof z.ZodType ? unwrap(inner) : schema;
}
