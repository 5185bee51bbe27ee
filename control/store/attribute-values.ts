/** Items as DynamoDB writes them: typed attribute values. Pure; values are in normal form already when they are marshalled. */
import { GantryError } from '../../core/errors.ts';
import { parseItem } from './envelope.ts';
import type { Item, Json, Key } from './table.ts';
import { tableShape } from './table-shape.ts';

export type AttributeValue =
  | { S: string }
  | { N: string }
  | { BOOL: boolean }
  | { NULL: true }
  | { L: AttributeValue[] }
  | { M: Attributes };

export type Attributes = { [name: string]: AttributeValue };

export function attributeValue(value: Json): AttributeValue {
  if (typeof value === 'string') return { S: value };
  if (typeof value === 'number') return { N: value.toString() };
  if (typeof value === 'boolean') return { BOOL: value };
  if (value === null) return { NULL: true };
  return isList(value) ? { L: value.map(attributeValue) } : { M: attributeMap(value) };
}

function attributeMap(map: Item['data']): Attributes {
  const members = Object.entries(map).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, attributeValue(value)] as const],
  );
  return Object.fromEntries(members);
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

export const keyAttributes = ({ pk, sk }: Key): Attributes => ({
  [tableShape.partitionKey]: { S: pk },
  [tableShape.sortKey]: { S: sk },
});

export const itemAttributes = (item: Item): Attributes => ({
  ...keyAttributes(item),
  [tableShape.schemaVersion]: attributeValue(item.v),
  ...(item.history && {
    [tableShape.history.partitionKey]: { S: item.history.pk },
    [tableShape.history.sortKey]: { S: item.history.sk },
  }),
  ...(item.expiresAt !== undefined && { [tableShape.expiry]: attributeValue(item.expiresAt) }),
  [tableShape.data]: attributeValue(item.data),
});

/** Parses what DynamoDB returned. Throws ServerException when it is no item of Gantry's. */
export function itemOf(attributes: { readonly [name: string]: unknown }): Item {
  const value = (name: string): Json | undefined => {
    const attribute = attributes[name];
    return attribute === undefined ? undefined : jsonOf(attribute);
  };
  const history = { pk: value(tableShape.history.partitionKey), sk: value(tableShape.history.sortKey) };
  const expiresAt = value(tableShape.expiry);
  return parseItem({
    pk: value(tableShape.partitionKey),
    sk: value(tableShape.sortKey),
    v: value(tableShape.schemaVersion),
    ...(history.pk !== undefined && { history }),
    ...(expiresAt !== undefined && { expiresAt }),
    data: value(tableShape.data),
  });
}

/** By hand instead of by schema, because every attribute of every item read goes through here. */
function jsonOf(attribute: unknown): Json {
  if (typeof attribute === 'object' && attribute !== null) {
    if ('S' in attribute && typeof attribute.S === 'string') return attribute.S;
    if ('N' in attribute && typeof attribute.N === 'string') return Number(attribute.N);
    if ('BOOL' in attribute && typeof attribute.BOOL === 'boolean') return attribute.BOOL;
    if ('NULL' in attribute) return null;
    if ('L' in attribute && Array.isArray(attribute.L)) return attribute.L.map(jsonOf);
    if ('M' in attribute && typeof attribute.M === 'object' && attribute.M !== null) return jsonMap(attribute.M);
  }
  throw new GantryError('ServerException', 'The store holds an attribute of a type that Gantry never writes.');
}

const jsonMap = (members: object): Json =>
  Object.fromEntries(Object.entries(members).map(([name, value]) => [name, jsonOf(value)]));
