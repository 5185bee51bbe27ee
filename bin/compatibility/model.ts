/** ECS' operations and the members of their requests, as the SDK's service model has them. Read to generate, never at run time. */
import * as sdk from '@aws-sdk/client-ecs';
import { NormalizedSchema } from '@smithy/core/schema';

type Schema = Parameters<typeof NormalizedSchema.of>[0];

const exported = new Map<string, unknown>(Object.entries(sdk));

export const modelledOperations: readonly string[] = [...exported.keys()]
  .filter((name) => /^[A-Z]\w+Command$/.test(name))
  .map((name) => name.replace(/Command$/, ''))
  .toSorted();

/** `[9, namespace, name, traits, input, output]`, each of the two given by a function. */
function inputOf(operation: string): NormalizedSchema {
  const definition = exported.get(`${operation}$`);
  const shape: unknown = Array.isArray(definition) ? definition[4] : undefined;
  if (typeof shape !== 'function') throw new Error(`the model has no operation ${operation}`);
  return NormalizedSchema.of(shape() as Schema);
}

/** Down to what has no members of its own, in the form of the tables of fields: `tags[].key`. */
export const memberPaths = (operation: string): readonly string[] => pathsOf(inputOf(operation), '');

function pathsOf(schema: NormalizedSchema, path: string): string[] {
  if (schema.isListSchema()) return pathsOf(schema.getValueSchema(), `${path}[]`);
  if (!schema.isStructSchema()) return [path];
  return [...schema.structIterator()].flatMap(([name, member]) =>
    pathsOf(member, path === '' ? name : `${path}.${name}`),
  );
}

/** Something that a client could send under this path of a request, around a value at its end. */
export function requestWith(operation: string, path: string): Readonly<Record<string, unknown>> {
  const sample = sampleAt(inputOf(operation), path.split('.'));
  if (typeof sample !== 'object' || sample === null) throw new Error(`${operation} has no ${path}`);
  return { ...sample };
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
