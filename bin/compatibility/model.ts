/** ECS' operations and the members of their requests, as the SDK's service model has them. For what is generated and tested alone. */
import * as sdk from '@aws-sdk/client-ecs';
import { NormalizedSchema } from '@smithy/core/schema';

type Schema = Parameters<typeof NormalizedSchema.of>[0];

const exported = new Map<string, unknown>(Object.entries(sdk));

export const modelledOperations: readonly string[] = [...exported.keys()]
  .filter((name) => /^[A-Z]\w+Command$/.test(name))
  .map((name) => name.replace(/Command$/, ''))
  .toSorted();

/** Of an operation: `[9, namespace, name, traits, input, output]`, each of the two given by a function. */
export function shapeOf(operation: string, side: 'input' | 'output'): NormalizedSchema {
  const definition = exported.get(`${operation}$`);
  const shape: unknown = Array.isArray(definition) ? definition[side === 'input' ? 4 : 5] : undefined;
  if (typeof shape !== 'function') throw new Error(`the model has no operation ${operation}`);
  return NormalizedSchema.of(shape() as Schema);
}

/** Down to what has no members of its own, in the form of the tables of fields: `tags[].key`. */
export const memberPaths = (operation: string): readonly string[] => pathsOf(shapeOf(operation, 'input'), '');

function pathsOf(schema: NormalizedSchema, path: string): string[] {
  if (schema.isListSchema()) return pathsOf(schema.getValueSchema(), `${path}[]`);
  if (!schema.isStructSchema()) return [path];
  return [...schema.structIterator()].flatMap(([name, member]) =>
    pathsOf(member, path === '' ? name : `${path}.${name}`),
  );
}
