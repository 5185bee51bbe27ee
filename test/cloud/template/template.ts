/**
 * A CloudFormation template as data: its schema, which resource refers to which, and an order in which they can be made.
 * Resolves nothing; a resource that this file does not understand does not exist, a member that is misspelt is a failure.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';

const resourceSchema = z.strictObject({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
  DependsOn: z.union([z.string(), z.array(z.string())]).optional(),
  Condition: z.string().optional(),
  DeletionPolicy: z.string().optional(),
  UpdateReplacePolicy: z.string().optional(),
  UpdatePolicy: z.unknown().optional(),
  CreationPolicy: z.unknown().optional(),
  Metadata: z.record(z.string(), z.unknown()).optional(),
});
export type TemplateResource = z.infer<typeof resourceSchema>;

export const templateSchema = z.strictObject({
  AWSTemplateFormatVersion: z.string().optional(),
  Description: z.string().optional(),
  Metadata: z.unknown().optional(),
  Parameters: z.record(z.string(), z.looseObject({ Type: z.string(), Default: z.unknown().optional() })).default({}),
  Mappings: z.record(z.string(), z.record(z.string(), z.record(z.string(), z.unknown()))).default({}),
  Conditions: z.record(z.string(), z.unknown()).default({}),
  Rules: z.unknown().optional(),
  Resources: z.record(z.string(), resourceSchema),
  Outputs: z.record(z.string(), z.looseObject({ Value: z.unknown() })).default({}),
});
export type Template = z.infer<typeof templateSchema>;

/** A stack as `cdk deploy` has it: the template, and where the files are that it names by their keys in S3. */
export interface StackSource {
  readonly template: Template;
  /** From object key to a file or directory on this machine. */
  readonly assets: ReadonlyMap<string, string>;
}

const assetManifestSchema = z.looseObject({
  files: z.record(
    z.string(),
    z.looseObject({
      source: z.looseObject({ path: z.string().optional() }),
      destinations: z.record(z.string(), z.looseObject({ objectKey: z.string() })),
    }),
  ),
});

/** Reads a stack out of the directory of a cloud assembly (`cdk.out`). */
export function readStackSource(assembly: string, stackName: string): StackSource {
  const read = (file: string): unknown => JSON.parse(readFileSync(`${assembly}/${file}`, 'utf8'));
  const { files } = assetManifestSchema.parse(read(`${stackName}.assets.json`));
  const assets = new Map<string, string>();
  for (const { source, destinations } of Object.values(files))
    for (const { objectKey } of Object.values(destinations))
      if (source.path !== undefined) assets.set(objectKey, `${assembly}/${source.path}`);
  return { template: templateSchema.parse(read(`${stackName}.template.json`)), assets };
}

/** Logical ids that a value refers to, pseudo parameters and parameters included. */
export function referencesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, argument]) => {
    if (name === 'Ref') return [String(argument)];
    if (name === 'Fn::GetAtt') return [String(Array.isArray(argument) ? argument[0] : argument).split('.')[0] ?? ''];
    if (name === 'Fn::Sub') return referencesInSub(argument);
    return referencesIn(argument);
  });
}

function referencesInSub(argument: unknown): string[] {
  const [text, variables] = Array.isArray(argument) ? argument : [argument, {}];
  const named = [...String(text).matchAll(/\$\{([^!}][^}]*)\}/g)].map(([, name = '']) => name.split('.')[0] ?? '');
  const own = Object.keys(variables ?? {});
  return [...named.filter((name) => !own.includes(name)), ...referencesIn(variables)];
}

/** Logical ids, each after those that it refers to or depends on. Throws where they go round in a circle. */
export function creationOrder(resources: Readonly<Record<string, TemplateResource>>): string[] {
  const order: string[] = [];
  const open = new Set<string>();
  const visit = (id: string): void => {
    const resource = resources[id];
    if (resource === undefined || order.includes(id)) return;
    if (open.has(id)) throw new Error(`the resources ${[...open, id].join(' → ')} need each other`);
    open.add(id);
    const { DependsOn = [] } = resource;
    for (const needed of [...referencesIn(resource.Properties), ...[DependsOn].flat()]) visit(needed);
    open.delete(id);
    order.push(id);
  };
  for (const id of Object.keys(resources)) visit(id);
  return order;
}
