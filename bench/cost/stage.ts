/**
 * The AWS shape on loopback (test/cloud) with counters: the synthesized template and the functions' real bundles, and the table itself
 * behind them, unmetered, for what a measurement sets up and looks at.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Duration } from 'aws-cdk-lib';
import { openDynamoDbTable } from '../../control/store/dynamodb.ts';
import type { Table } from '../../control/store/table.ts';
import { type AwsCloud, startAwsCloud } from '../../test/cloud/aws-cloud.ts';
import { anyCredentials } from '../../test/support/dynoxide.ts';
import { type Counts, type FunctionName, minus } from './counts.ts';
import type { MemoryMib } from './prices.ts';

const functionNames: readonly FunctionName[] = ['api', 'hosts', 'wake', 'events', 'sweep', 'fleet', 'resources'];

export interface CostStage extends AsyncDisposable {
  readonly cloud: AwsCloud;
  /** Past the counters. */
  readonly table: Table;
  readonly memoryMib: MemoryMib;
  /** Of everything that the template makes. */
  readonly resourceTypes: readonly string[];
  /** Of loopback, for comparison with the model. */
  medianMs(name: FunctionName): number | undefined;
  /** Of all functions, until now. */
  coldStarts(): number;
  /** What happened until everything that it set off was over. */
  counting(happening: () => Promise<void>): Promise<Counts>;
}

export async function openStage({ heartbeatSeconds }: { readonly heartbeatSeconds: number }): Promise<CostStage> {
  // The audit log has a switch, and a price of its own.
  const heartbeat = Duration.seconds(heartbeatSeconds);
  const cloud = await startAwsCloud({ controlPlane: { heartbeat, auditRetention: Duration.days(0) } });
  const { world } = cloud;
  const { GANTRY_TABLE: tableName = '' } = cloud.lambda('api').config.environment;
  const table = await openDynamoDbTable({
    tableName,
    region: cloud.region,
    endpoint: world.upstream,
    credentials: anyCredentials,
  });
  const count = (): Counts => countsOf(cloud);
  const memory = functionNames.map((name) => [name, cloud.lambda(name).config.memoryMib]);
  return {
    cloud,
    table,
    memoryMib: Object.fromEntries(memory),
    resourceTypes: Object.values(cloud.source.template.Resources).map(({ Type }) => Type),
    medianMs(name) {
      const warm = cloud.lambda(name).invocations.filter(({ coldStart }) => !coldStart);
      return warm.map(({ milliseconds }) => milliseconds).toSorted((a, b) => a - b)[Math.floor(warm.length / 2)];
    },
    coldStarts: () =>
      sum(world.functions.values(), ({ invocations }) => invocations.filter(({ coldStart }) => coldStart).length),
    async counting(happening) {
      await quiet(cloud);
      for (const lambda of world.functions.values()) lambda.output.splice(0);
      const before = count();
      await happening();
      await quiet(cloud);
      const counted = minus(count(), before);
      const metricBytes = metricBytesOf(cloud);
      return { ...counted, metricBytes, functionLogBytes: counted.functionLogBytes - metricBytes };
    },
    async [Symbol.asyncDispose]() {
      await table.close();
      await cloud[Symbol.asyncDispose]();
    },
  };
}

const sum = <T>(all: Iterable<T>, numberOf: (one: T) => number): number =>
  [...all].reduce((total, one) => total + numberOf(one), 0);

function countsOf(cloud: AwsCloud): Counts {
  const { world } = cloud;
  const sockets = [...world.webSocketApis.values()];
  const httpRequests = sum(world.httpApis.values(), ({ requests }) => requests);
  const invocations = invocationsOf((name) => cloud.lambda(name).invocations.length);
  // What tells of events is a line of its own.
  const consumed = functionNames
    .filter((name) => name !== 'events')
    .map((name) => world.consumed.by(cloud.lambda(name).config.credentials.accessKeyId));
  return {
    writeUnits: sum(consumed, ({ write }) => write),
    readUnits: sum(consumed, ({ read }) => read),
    httpRequests,
    webSocketMessages: sum(sockets, ({ posted, messages }) => posted + messages),
    connectionMinutes: 0,
    scheduled: 0,
    invocations,
    accessLogBytes: invocations.api * callerLine + (httpRequests - invocations.api) * hostLine,
    functionLogBytes: sum(world.functions.values(), ({ outputBytes }) => outputBytes),
    metricBytes: 0,
    events: world.buses.events.length,
    eventWriteUnits: world.consumed.by(cloud.lambda('events').config.credentials.accessKeyId).write,
  };
}

const invocationsOf = (count: (name: FunctionName) => number): Record<FunctionName, number> => ({
  api: count('api'),
  hosts: count('hosts'),
  wake: count('wake'),
  events: count('events'),
  sweep: count('sweep'),
  fleet: count('fleet'),
  resources: count('resources'),
});

/** A line of the access log with values of usual length, and what CloudWatch counts on top of each event. */
const accessLogLine = (by: string, route: string, path: string): number =>
  26 +
  JSON.stringify({
    id: 'Q7Yx2jXvIAMESPg=',
    at: '1795622400000',
    from: '203.0.113.199',
    by,
    route,
    path,
    status: '200',
    ms: '48',
    error: '-',
  }).length;

const anId = '0123456789abcdef0123456789abcdef';
const callerLine = accessLogLine(
  'arn:aws:sts::123456789012:assumed-role/jobs-runner/i-0123456789abcdef0',
  'ANY /v1/{proxy+}',
  `/v1/clusters/default/tasks/${anId}`,
);
/** IAM does not know hosts. */
const hostLine = accessLogLine('-', 'ANY /hosts/v1/{proxy+}', `/hosts/v1/${anId}/heartbeat`);

const metricBytesOf = ({ world }: AwsCloud): number =>
  sum(world.functions.values(), ({ output }) =>
    sum(
      output
        .join('')
        .split('\n')
        .filter((line) => line.includes('"_aws"')),
      (line) => Buffer.byteLength(line) + 1,
    ),
  );

const quietMs = 200;

/** Until neither stream nor function does anything any more. */
async function quiet(cloud: AwsCloud): Promise<void> {
  const mark = (): string => JSON.stringify(countsOf(cloud));
  for (let before = ''; before !== mark(); ) {
    before = mark();
    await delay(quietMs);
    if ([...cloud.world.mappings.values()].some(({ isIdle }) => !isIdle)) before = '';
  }
}
