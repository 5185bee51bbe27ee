/** What wakes the functions that no request wakes: the table's stream, the minute, and what AWS says becomes of an instance. */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { keys, partitions } from '../../control/store/keys.ts';
import { eventUntold, hostGrown, tableShape } from '../../control/store/table-shape.ts';
import { acknowledge, acknowledgeWildcards } from '../acknowledge.ts';
import type { GantryFunction } from './functions.ts';
import type { TableWithStream } from './table.ts';
import type { StreamConsumer } from './watched.ts';

/** A record as its consumer gave up on it: where it is in the stream, kept for two weeks. */
function makeDeadLetters(scope: Construct, id: string): sqs.Queue {
  const queue = new sqs.Queue(scope, id, {
    encryption: sqs.QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
    retentionPeriod: Duration.days(14),
    // It names places in a stream, which are of no use once the stack is gone.
    removalPolicy: RemovalPolicy.DESTROY,
  });
  acknowledge(queue, { 'AwsSolutions-SQS3': 'This is a dead-letter queue; an alarm watches it.' });
  return queue;
}

interface ChangeFilter {
  /** One of them. */
  readonly partitionPrefixes: readonly string[];
  readonly eventNames: readonly ('INSERT' | 'MODIFY' | 'REMOVE')[];
  /** Only where the item has this member, true. */
  readonly flag?: string;
}

const waiting = partitions.waitingTasks('', 0).split('#')[0] ?? '';

/** A Lambda invocation costs more than a filter that drops its reason. At most five for each: more are a quota of the account. */
const filters: Readonly<Record<'wake' | 'events', readonly ChangeFilter[]>> = {
  wake: [
    { partitionPrefixes: [`${waiting}#`], eventNames: ['INSERT'] },
    // A placement leaves no more room than there was, and half of all changes of hosts are placements.
    { partitionPrefixes: [partitions.hostsPrefix], eventNames: ['MODIFY'], flag: hostGrown },
  ],
  events: [
    { partitionPrefixes: [keys.task('').pk, partitions.hostsPrefix], eventNames: ['INSERT', 'MODIFY'] },
    {
      partitionPrefixes: [partitions.purchases(''), partitions.drains('')],
      eventNames: ['INSERT', 'MODIFY', 'REMOVE'],
    },
    { partitionPrefixes: [partitions.pastPurchases('')], eventNames: ['INSERT'] },
    { partitionPrefixes: [partitions.eventsOf('')], eventNames: ['INSERT'], flag: eventUntold },
  ],
};

const filterOf = ({ partitionPrefixes, eventNames, flag }: ChangeFilter) =>
  lambda.FilterCriteria.filter({
    eventName: eventNames,
    dynamodb: {
      Keys: { [tableShape.partitionKey]: { S: partitionPrefixes.map((prefix) => ({ prefix })) } },
      ...(flag !== undefined && { NewImage: { [tableShape.data]: { M: { [flag]: { BOOL: [true] } } } } }),
    },
  });

export function readStream(
  scope: Construct,
  name: 'wake' | 'events',
  reader: GantryFunction,
  { table, streamArn }: TableWithStream,
): StreamConsumer {
  const deadLetters = makeDeadLetters(scope, `${reader.node.id}DeadLetters`);
  for (const statement of streamStatements(table, streamArn)) reader.addToRolePolicy(statement);
  reader.addEventSourceMapping('Stream', {
    eventSourceArn: streamArn,
    startingPosition: lambda.StartingPosition.TRIM_HORIZON,
    batchSize: 100,
    filters: filters[name].map(filterOf),
    reportBatchItemFailures: true,
    bisectBatchOnError: true,
    // A record that can never be read holds up those behind it for so long; what is throttled is over by then. The sweep has done what
    // was given up, and a person must see why.
    retryAttempts: 10,
    maxRecordAge: Duration.hours(1),
    onFailure: new SqsDlq(deadLetters),
  });
  if (reader.role !== undefined)
    acknowledgeWildcards(
      reader.executionRole,
      [streamsOf(table)],
      'Listing the streams of this one table has no narrower form.',
    );
  return { reader, deadLetters };
}

const streamsOf = (table: dynamodb.ITable): string => `${table.tableArn}/stream/*`;

const streamStatements = (table: dynamodb.ITable, streamArn: string): iam.PolicyStatement[] => [
  new iam.PolicyStatement({ sid: 'ListStreams', actions: ['dynamodb:ListStreams'], resources: [streamsOf(table)] }),
  new iam.PolicyStatement({
    sid: 'ReadStream',
    actions: ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'],
    resources: [streamArn],
  }),
];

/** Each minute. A minute that fails is not repeated: the next one does the same. */
export function everyMinute(scope: Construct, made: GantryFunction, description: string): void {
  const role = new iam.Role(scope, `${made.node.id}ScheduleRole`, {
    assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com'),
  });
  new scheduler.Schedule(scope, `${made.node.id}Schedule`, {
    description: `Gantry: ${description}`,
    schedule: scheduler.ScheduleExpression.rate(Duration.minutes(1)),
    target: new LambdaInvoke(made, {
      role,
      // When it was due, which is not quite now.
      input: scheduler.ScheduleTargetInput.fromObject({ time: scheduler.ContextAttribute.scheduledTime }),
      retryAttempts: 0,
      maxEventAge: Duration.minutes(1),
    }),
  });
  acknowledgeWildcards(role, [`${made.functionArn}:*`], 'Versions of the one function that the schedule invokes.');
}

/** EC2's own word that an instance ends is evidence that no heartbeat can give. */
export function sweepOnInstanceEnd(scope: Construct, sweep: lambda.IFunction): void {
  new events.Rule(scope, 'InstanceEnds', {
    description: 'Gantry: ends hosts whose instance is gone.',
    eventPattern: {
      source: ['aws.ec2'],
      detailType: ['EC2 Instance State-change Notification'],
      // An instance that is stopped may start again, and its host is then back.
      detail: { state: ['shutting-down', 'terminated'] },
    },
    targets: [new targets.LambdaFunction(sweep)],
  });
}

/** What AWS says before it takes an instance away: hosts are emptied in time, and what may be replaced is. */
const notices: Readonly<Record<string, events.EventPattern>> = {
  SpotInterruption: { source: ['aws.ec2'], detailType: ['EC2 Spot Instance Interruption Warning'] },
  SpotRebalance: { source: ['aws.ec2'], detailType: ['EC2 Instance Rebalance Recommendation'] },
  InstanceRetirement: {
    source: ['aws.health'],
    detailType: ['AWS Health Event'],
    detail: {
      service: ['EC2'],
      eventTypeCategory: ['scheduledChange'],
      eventTypeCode: ['AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED', 'AWS_EC2_PERSISTENT_INSTANCE_RETIREMENT_SCHEDULED'],
    },
  },
};

export function sweepOnNotices(scope: Construct, sweep: lambda.IFunction): void {
  for (const [id, eventPattern] of Object.entries(notices))
    new events.Rule(scope, id, {
      description: 'Gantry: empties hosts whose instance is going to be taken away.',
      eventPattern,
      targets: [new targets.LambdaFunction(sweep)],
    });
}
