/**
 * The JSON Schema of a task definition for editors (docs/task-definition.schema.json): what `gantry register` takes, strictly, so that a
 * misspelled member is underlined while it is written. The control plane decides by the normaliser, never by this.
 */
import { namePattern } from '../model/cluster.ts';
import { taskDefinitionFields } from '../model/fields.ts';
import { compatibilityNames, limits, ulimitNames } from '../model/limits.ts';
import { protocolSchema } from '../model/resources.ts';
import {
  dependencyConditionSchema,
  logDriverSchema,
  networkModeSchema,
  runtimePlatformSchema,
} from '../model/task-definition.ts';
import { eachPart, isObject, type JsonObject, jsonSchema } from './json-schema.ts';
import { registerTaskDefinitionInputSchema } from './task-definitions.ts';

export function taskDefinitionJsonSchema(): JsonObject {
  const schema = jsonSchema(registerTaskDefinitionInputSchema, 'input', taskDefinitionFields);
  eachPart(schema, refine);
  const { properties } = schema;
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Gantry task definition',
    description: "A task definition by Amazon ECS' member names, in JSON or YAML, as `gantry register` takes it.",
    ...schema,
    properties: { $schema: { type: 'string', description: 'For editors.' }, ...(isObject(properties) && properties) },
  };
}

const within = ([minimum, maximum]: readonly [number, number]): JsonObject => ({ minimum, maximum });

const values: Readonly<Record<string, JsonObject>> = {
  family: { pattern: namePattern.source },
  networkMode: { enum: networkModeSchema.options },
  cpu: { pattern: '^\\s*(\\d+|\\d*\\.?\\d+\\s*[vV][cC][pP][uU])\\s*$' },
  memory: { pattern: '^\\s*(\\d+|\\d*\\.?\\d+\\s*[gG][bB])\\s*$' },
  'requiresCompatibilities[]': { enum: compatibilityNames },
  'runtimePlatform.cpuArchitecture': { enum: runtimePlatformSchema.shape.cpuArchitecture.unwrap().options },
  'runtimePlatform.operatingSystemFamily': { const: 'LINUX' },
  containerDefinitions: { minItems: limits.containers[0], maxItems: limits.containers[1] },
  'containerDefinitions[]': { required: ['name', 'image'] },
  'containerDefinitions[].name': { pattern: namePattern.source },
  'containerDefinitions[].cpu': within(limits.containerCpuUnits),
  'containerDefinitions[].memory': within(limits.memoryMib),
  'containerDefinitions[].memoryReservation': within(limits.memoryMib),
  'containerDefinitions[].startTimeout': within(limits.timeoutSeconds),
  'containerDefinitions[].stopTimeout': within(limits.timeoutSeconds),
  'containerDefinitions[].portMappings[]': {
    anyOf: [{ required: ['containerPort'] }, { required: ['containerPortRange'] }],
  },
  'containerDefinitions[].portMappings[].containerPortRange': { pattern: '^[0-9]{1,5}-[0-9]{1,5}$' },
  'containerDefinitions[].portMappings[].containerPort': within(limits.containerPort),
  'containerDefinitions[].portMappings[].hostPort': within(limits.hostPort),
  'containerDefinitions[].portMappings[].protocol': { enum: protocolSchema.options },
  'containerDefinitions[].ulimits[].name': { enum: ulimitNames },
  'containerDefinitions[].ulimits[].softLimit': within(limits.ulimit),
  'containerDefinitions[].ulimits[].hardLimit': within(limits.ulimit),
  'containerDefinitions[].dependsOn[].condition': { enum: dependencyConditionSchema.options },
  'containerDefinitions[].logConfiguration.logDriver': { enum: logDriverSchema.options },
};

/** What asks for nothing is taken even of members that are not supported. */
const nothing: JsonObject = {
  anyOf: [{ enum: [null, false, ''] }, { type: 'array', items: {}, maxItems: 0 }, { type: 'object', maxProperties: 0 }],
};

function refine(part: JsonObject, path: string): void {
  if (taskDefinitionFields[path]?.class === 'refused') Object.assign(part, nothing);
  Object.assign(part, values[path]);
}
