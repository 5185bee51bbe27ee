/** Moves what zod defines within each schema (`$defs`) to the components of the OpenAPI document, where each stands once. */
import { isObject, type JsonObject } from '../../core/api/json-schema.ts';

export function withComponents(document: JsonObject): JsonObject {
  const found: JsonObject = {};
  const moved = move(document, found);
  if (!isObject(moved) || !isObject(moved.components)) return document;
  const { components } = moved;
  return { ...moved, components: { ...components, schemas: { ...asObject(components.schemas), ...found } } };
}

function move(value: unknown, found: JsonObject): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => move(item, found));
  if (typeof value === 'string') return value.replace(/^#\/\$defs\//, '#/components/schemas/');
  if (!isObject(value)) return value;
  const { $defs, ...rest } = value;
  for (const [name, definition] of Object.entries(asObject($defs))) {
    const { id: _, ...schema } = asObject(move(definition, found));
    found[name] = schema;
  }
  return Object.fromEntries(Object.entries(rest).map(([name, member]) => [name, move(member, found)]));
}

const asObject = (value: unknown): JsonObject => (isObject(value) ? value : {});
