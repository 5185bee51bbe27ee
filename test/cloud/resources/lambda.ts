/** AWS::Lambda::Function, Permission and EventSourceMapping. */
import { existsSync } from 'node:fs';
import { z } from 'zod';
import { isAllowed } from '../iam/policy.ts';
import { type FunctionConfig, LambdaFunction } from '../lambda/lambda-function.ts';
import { EventSourceMapping, type MappingConfig } from '../stream/event-source-mapping.ts';
import type { World } from '../world.ts';
import { boolean, number, propertiesOf, type Reader, type Wanted } from './reader.ts';

const functionSchema = z.object({
  FunctionName: z.string().optional(),
  Code: z.object({ S3Bucket: z.string(), S3Key: z.string() }),
  Handler: z.string(),
  Role: z.string(),
  Runtime: z.string().regex(/^nodejs/),
  Timeout: number.default(3),
  MemorySize: number.default(128),
  ReservedConcurrentExecutions: number.optional(),
  Environment: z.object({ Variables: z.record(z.string(), z.coerce.string()) }).default({ Variables: {} }),
});

export const lambdaFunction: Reader = async (wanted) => {
  const { world } = wanted;
  const config = functionConfig(wanted);
  const known = world.functions.get(config.arn);
  if (known === undefined) world.functions.set(config.arn, new LambdaFunction(config));
  else await known.replace(config);
  return { id: config.name, attributes: { Arn: config.arn } };
};

function functionConfig(wanted: Wanted): FunctionConfig {
  const { world, source, logicalId } = wanted;
  const properties = propertiesOf(functionSchema, wanted);
  const name = properties.FunctionName ?? `${world.options.stackName}-${logicalId}`;
  const roleName = properties.Role.split('/').at(-1) ?? '';
  const { accessKeyId, secretAccessKey } = world.identities.add(
    `arn:aws:sts::${world.options.accountId}:assumed-role/${roleName}/${name}`,
    () => world.statementsOf(roleName),
  );
  const directory = source.assets.get(properties.Code.S3Key);
  const [file = '', handlerName = ''] = properties.Handler.split('.');
  const entry = `${directory}/${file}.mjs`;
  if (!existsSync(entry)) throw new Error(`${logicalId}: the bundle ${entry} does not exist`);
  return {
    name,
    arn: world.arn('lambda', `function:${name}`),
    roleArn: properties.Role,
    entry,
    handlerName,
    runtime: properties.Runtime,
    timeoutSeconds: properties.Timeout,
    memoryMib: properties.MemorySize,
    reservedConcurrency: properties.ReservedConcurrentExecutions ?? world.options.concurrency,
    environment: { ...localEnvironment(world, properties.Environment.Variables), ...world.endpoints },
    credentials: { accessKeyId, secretAccessKey },
    region: world.options.region,
  };
}

/** What a function calls itself is on loopback; what it tells hosts is where those find it. */
function localEnvironment(world: World, variables: Readonly<Record<string, string>>): Record<string, string> {
  const local = z.record(z.string(), z.string()).parse(world.localized(variables));
  const { GANTRY_WAKE_URL } = variables;
  return world.options.hostsKnowNames === true && GANTRY_WAKE_URL !== undefined ? { ...local, GANTRY_WAKE_URL } : local;
}

const permissionSchema = z.object({
  Action: z.literal('lambda:InvokeFunction'),
  FunctionName: z.string(),
  Principal: z.string(),
  SourceArn: z.string().optional(),
});

export const lambdaPermission: Reader = (wanted) => {
  const { Principal, FunctionName, SourceArn } = propertiesOf(permissionSchema, wanted);
  const functionArn = wanted.world.functionOf(FunctionName).config.arn;
  if (wanted.former === undefined)
    wanted.world.permissions.push({ functionArn, principal: Principal, sourceArn: SourceArn });
  return { id: wanted.logicalId, attributes: {} };
};

const mappingSchema = z.object({
  EventSourceArn: z.string(),
  FunctionName: z.string(),
  StartingPosition: z.enum(['LATEST', 'TRIM_HORIZON']),
  BatchSize: number.default(100),
  BisectBatchOnFunctionError: boolean.default(false),
  MaximumRetryAttempts: number.default(-1),
  MaximumRecordAgeInSeconds: number.default(-1),
  ParallelizationFactor: number.default(1),
  MaximumBatchingWindowInSeconds: number.default(0),
  FunctionResponseTypes: z.array(z.literal('ReportBatchItemFailures')).default([]),
  FilterCriteria: z.object({ Filters: z.array(z.object({ Pattern: z.string() })) }).default({ Filters: [] }),
  DestinationConfig: z.object({ OnFailure: z.object({ Destination: z.string() }) }).optional(),
  Enabled: boolean.default(true),
  Tags: z.unknown().optional(),
});

const streamActions = ['GetRecords', 'GetShardIterator', 'DescribeStream'].map((name) => `dynamodb:${name}`);

export const eventSourceMapping: Reader = (wanted) => {
  const { world, logicalId } = wanted;
  const { EventSourceArn } = propertiesOf(z.object({ EventSourceArn: z.string() }), wanted);
  const config = mappingConfig(wanted);
  const known = world.mappings.get(logicalId);
  if (known !== undefined) known.update(config);
  else {
    const mapping = new EventSourceMapping(config);
    world.mappings.set(logicalId, mapping);
    const stream = world.streams.get(EventSourceArn);
    if (stream === undefined) throw new Error(`${logicalId}: there is no stream ${EventSourceArn}`);
    stream.subscribe((shard, records) => mapping.push(shard, records));
  }
  return { id: logicalId, attributes: {} };
};

function mappingConfig(wanted: Wanted): MappingConfig {
  const { world, logicalId } = wanted;
  const properties = propertiesOf(mappingSchema, wanted);
  const target = world.functionOf(properties.FunctionName);
  const statements = world.statementsOf(target.config.roleArn.split('/').at(-1) ?? '');
  const queueArn = properties.DestinationConfig?.OnFailure.Destination;
  const queue = queueArn === undefined ? [] : world.queues.get(queueArn);
  if (queue === undefined) throw new Error(`${logicalId}: there is no queue ${queueArn}`);
  const needed = streamActions.map((action) => ({ action, resource: properties.EventSourceArn }));
  if (queueArn !== undefined) needed.push({ action: 'sqs:SendMessage', resource: queueArn });
  const lacking = needed.find((call) => !isAllowed(statements, call));
  if (lacking !== undefined)
    throw new Error(`${logicalId}: ${target.config.roleArn} may not ${lacking.action} ${lacking.resource}`);
  const forever = (value: number): number | undefined => (value === -1 ? undefined : value);
  return {
    target,
    filters: properties.FilterCriteria.Filters.map(({ Pattern }) => Pattern),
    batchSize: properties.BatchSize,
    bisects: properties.BisectBatchOnFunctionError,
    reportsItemFailures: properties.FunctionResponseTypes.length > 0,
    maxAttempts: forever(properties.MaximumRetryAttempts),
    maxAgeSeconds: forever(properties.MaximumRecordAgeInSeconds),
    giveUp: (message) => queue.push(message),
  };
}
