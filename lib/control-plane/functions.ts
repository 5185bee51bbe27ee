/**
 * The functions (docs/adr/0004): their bundles, sizes, environment and logs. What each may do is in permissions.ts, what wakes it
 * in triggers.ts and the APIs.
 */
import { Aws, Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { acknowledge } from '../acknowledge.ts';
import { bundlePath } from '../bundles.ts';

export type FunctionName = 'api' | 'hosts' | 'wake' | 'events' | 'sweep' | 'fleet' | 'resources';

export interface Functions extends Readonly<Record<Exclude<FunctionName, 'events' | 'fleet'>, GantryFunction>> {
  /** Undefined where events are switched off. */
  readonly events: GantryFunction | undefined;
  /** Undefined where nothing is bought. */
  readonly fleet: GantryFunction | undefined;
}

export const listOf = (functions: Functions): readonly GantryFunction[] =>
  Object.values(functions).filter((made) => made !== undefined);

interface FunctionShape {
  /** Of the construct: part of the logical id, so it never changes. */
  readonly id: string;
  readonly description: string;
  /** Buys processor too: 1,769 MiB is one vCPU. */
  readonly memoryMib: number;
  readonly timeout: Duration;
  /** Lambda's own tries of an asynchronous call that failed; as Lambda has it unless it is given. */
  readonly asynchronous?: { readonly retryAttempts: number; readonly maxEventAge: Duration };
}

const shapes: Readonly<Record<FunctionName, FunctionShape>> = {
  api: {
    id: 'Api',
    description: 'Gantry: the REST API and the ECS wire protocol.',
    // Placement over a large cluster is arithmetic that a caller waits for.
    memoryMib: 512,
    // The gateway gives up after 30 s; long polls end after 25.
    timeout: Duration.seconds(29),
  },
  hosts: {
    id: 'Hosts',
    description: 'Gantry: registration, desired sets, reports and heartbeats of hosts, and their sockets.',
    // The most invocations of all, each a read and a write or two.
    memoryMib: 256,
    // An agent tries again after ten seconds.
    timeout: Duration.seconds(10),
  },
  wake: {
    id: 'Wake',
    description: 'Gantry: places waiting tasks when the table says that something changed for them.',
    memoryMib: 512,
    // Several rounds over a cluster with thousands of waiting tasks; the stream's shard waits meanwhile.
    timeout: Duration.seconds(60),
  },
  events: {
    id: 'Events',
    description: 'Gantry: tells the event bus of changes of tasks and container instances.',
    memoryMib: 256,
    timeout: Duration.seconds(30),
  },
  sweep: {
    id: 'Sweep',
    description: 'Gantry: each minute, every loop that is due.',
    // Mostly it reads and finds nothing to do; it is what an idle control plane does all month.
    memoryMib: 256,
    // Two minutes' sweeps may overlap (loops are safe to repeat), but not pile up.
    timeout: Duration.seconds(120),
  },
  fleet: {
    id: 'Fleet',
    description: 'Gantry: buys hosts for tasks that wait, and ends those that nothing needs.',
    // Packing thousands of tasks onto hundreds of offers is arithmetic that those tasks wait for.
    memoryMib: 512,
    timeout: Duration.seconds(120),
    // The next minute looks at what is then, where a late try would look at it twice.
    asynchronous: { retryAttempts: 0, maxEventAge: Duration.minutes(1) },
  },
  resources: {
    id: 'Resources',
    description: 'Gantry: clusters, hosts, capacity providers and task definitions of CloudFormation stacks.',
    memoryMib: 256,
    // Draining waits for tasks to stop, as long as Lambda lets it.
    timeout: Duration.minutes(15),
  },
};

export interface FunctionOptions {
  readonly logRetention: logs.RetentionDays;
  readonly logLevel: lambda.ApplicationLogLevel;
  readonly tracing: boolean;
  readonly metrics: boolean;
  /** Of Powertools: names this control plane in its logs and metrics. */
  readonly serviceName: string;
  readonly metricsNamespace: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Of `hosts`; 0 reserves nothing. */
  readonly hostsReservedConcurrency: number;
}

export class GantryFunction extends lambda.Function {
  /** Without the names that CloudFormation makes. */
  readonly shortName: FunctionName;
  readonly executionRole: iam.Role;

  constructor(scope: Construct, shortName: FunctionName, options: FunctionOptions) {
    const { id, description, memoryMib, timeout, asynchronous } = shapes[shortName];
    const logGroup = new logs.LogGroup(scope, `${id}Logs`, {
      retention: options.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new iam.Role(scope, `${id}Role`, { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);
    const reserved = shortName === 'hosts' ? options.hostsReservedConcurrency : 0;
    super(scope, id, {
      ...sameForAll(options),
      description,
      code: lambda.Code.fromAsset(bundlePath(scope, `lambdas/${shortName}`)),
      memorySize: memoryMib,
      timeout,
      role,
      logGroup,
      ...asynchronous,
      ...(reserved > 0 && { reservedConcurrentExecutions: reserved }),
    });
    this.shortName = shortName;
    this.executionRole = role;
    if (options.tracing)
      acknowledge(role, { 'AwsSolutions-IAM5[Resource::*]': 'X-Ray takes segments with no resource to name.' });
  }
}

const sameForAll = (options: FunctionOptions) => ({
  runtime: lambda.Runtime.NODEJS_24_X,
  architecture: lambda.Architecture.ARM_64,
  handler: 'index.handler',
  environment: environmentOf(options),
  tracing: options.tracing ? lambda.Tracing.ACTIVE : lambda.Tracing.DISABLED,
  loggingFormat: lambda.LoggingFormat.JSON,
  applicationLogLevelV2: options.logLevel,
  // START, END and REPORT of each invocation would be most of the log; metrics say the same.
  systemLogLevelV2: lambda.SystemLogLevel.WARN,
});

const environmentOf = (options: FunctionOptions): Record<string, string> => ({
  GANTRY_ACCOUNT_ID: Aws.ACCOUNT_ID,
  GANTRY_LOG_LEVEL: options.logLevel,
  POWERTOOLS_SERVICE_NAME: options.serviceName,
  POWERTOOLS_METRICS_NAMESPACE: options.metricsNamespace,
  POWERTOOLS_METRICS_DISABLED: String(!options.metrics),
  POWERTOOLS_TRACE_ENABLED: String(options.tracing),
  ...options.environment,
});
