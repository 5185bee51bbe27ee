/** What a person must look at. docs/operating.md says of each alarm what to do. */
import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type * as sns from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { type GantryFunction, listOf } from './functions.ts';
import { type OwnMetrics, ownMetric, tableThrottlesOf, throttlesOf, type Watched } from './watched.ts';

const period = Duration.minutes(5);

interface AlarmShape {
  readonly id: string;
  readonly description: string;
  readonly metric: cloudwatch.IMetric;
  /** Alarms at this or more. */
  readonly threshold: number;
  /** How many periods in a row; one unless it is given. */
  readonly periods?: number;
}

/** Each has an action on the topic, if one is given. */
export function makeAlarms(scope: Construct, watched: Watched, topic: sns.ITopic | undefined): void {
  const shapes = [
    ...ofFunctions(watched),
    ...ofStreams(watched),
    ...ofTheWhole(watched),
    ...(watched.ownMetrics === undefined ? [] : ofClusters(watched.ownMetrics)),
    ...(watched.ownMetrics === undefined || watched.functions.fleet === undefined ? [] : ofBuying(watched.ownMetrics)),
  ];
  const { sweep, fleet } = watched.functions;
  const stopped = [sweep, fleet].flatMap((made) => (made === undefined ? [] : stoppedRunning(scope, made)));
  const alarms = [...shapes.map((shape) => makeAlarm(scope, shape)), ...stopped];
  if (topic !== undefined) for (const alarm of alarms) alarm.addAlarmAction(new SnsAction(topic));
}

const makeAlarm = (scope: Construct, { id, description, metric, threshold, periods = 1 }: AlarmShape) =>
  new cloudwatch.Alarm(scope, id, {
    alarmDescription: `Gantry: ${description}`,
    metric,
    threshold,
    evaluationPeriods: periods,
    comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
  });

function ofFunctions({ functions }: Watched): AlarmShape[] {
  const errors = listOf(functions).map((made) => ({
    id: `${made.node.id}Errors`,
    description: `invocations of '${made.shortName}' keep failing.`,
    metric: made.metricErrors({ period }),
    threshold: 1,
    // One failure is repeated by whoever asked; failures for ten minutes are not.
    periods: 2,
  }));
  const throttled = {
    id: 'FunctionsThrottled',
    description: 'invocations are refused: the account has no concurrency left for them.',
    metric: throttlesOf(functions),
    threshold: 1,
    periods: 2,
  };
  return [...errors, throttled];
}

const ofStreams = ({ consumers }: Watched): AlarmShape[] =>
  consumers.flatMap(({ reader, deadLetters }) => [
    {
      id: `${reader.node.id}Behind`,
      description: `'${reader.shortName}' handles changes of the table more than a minute late.`,
      metric: reader.metric('IteratorAge', { period, statistic: 'Maximum' }),
      threshold: Duration.minutes(1).toMilliseconds(),
      periods: 2,
    },
    {
      id: `${reader.node.id}GaveUp`,
      description: `'${reader.shortName}' could not handle a change of the table for an hour; the dead-letter queue says which.`,
      metric: deadLetters.metricApproximateNumberOfMessagesVisible({ period }),
      threshold: 1,
    },
  ]);

const ofTheWhole = ({ controlPlane, table }: Watched): AlarmShape[] => [
  {
    id: 'ApiFails',
    description: 'the API answers with 5xx.',
    metric: controlPlane.metricApi('5xx', { period, statistic: 'Sum' }),
    threshold: 5,
  },
  {
    id: 'TableThrottled',
    description: 'the table refuses reads or writes: a partition is hot, or an on-demand limit is reached.',
    metric: tableThrottlesOf(table),
    threshold: 10,
  },
];

const ofClusters = (own: OwnMetrics): AlarmShape[] => [
  {
    id: 'HostSilent',
    description: 'a host has sent no heartbeat for three of its periods; no task is placed on it.',
    metric: ownMetric(own, { name: 'HostSilent', statistic: 'SUM', label: 'Hosts that fell silent' }),
    threshold: 1,
  },
  {
    id: 'HostDrift',
    description:
      "a host's reservations are not what its tasks amount to: a defect of Gantry; the log of 'sweep' names it.",
    metric: ownMetric(own, { name: 'HostDrift', statistic: 'SUM', label: 'Hosts whose reservations drifted' }),
    threshold: 1,
  },
  {
    id: 'LoopFails',
    description: "a loop of the control plane keeps failing; the log of 'sweep' says why.",
    metric: ownMetric(own, { name: 'LoopFailed', statistic: 'SUM', label: 'Failed loops' }),
    threshold: 1,
    periods: 3,
  },
  {
    id: 'TasksGaveUpWaiting',
    description: 'tasks waited for a host until their deadline: a cluster lacks capacity.',
    metric: ownMetric(own, { name: 'PlacementTimedOut', statistic: 'SUM', label: 'Tasks that gave up waiting' }),
    threshold: 1,
  },
];

/** What costs money without being of use. */
const ofBuying = (own: OwnMetrics): AlarmShape[] => [
  {
    id: 'HostsNotLaunched',
    description:
      "hosts cannot be launched: EC2 refuses, or has none; 'gantry capacity' and the log of 'fleet' say why.",
    metric: ownMetric(own, { name: 'LaunchFaults', statistic: 'SUM', label: 'Orders that were refused' }),
    threshold: 1,
    // Another type or zone has been tried by then.
    periods: 3,
  },
  {
    id: 'HostsNotJoined',
    description: 'an instance was launched and did not become a host in time; its console says why.',
    metric: ownMetric(own, { name: 'HostsNotJoined', statistic: 'SUM', label: 'Hosts that did not join' }),
    threshold: 1,
  },
  {
    id: 'OrphansEnded',
    description: "an instance was ended that no purchase knew of; the log of 'fleet' names it.",
    metric: ownMetric(own, { name: 'OrphansEnded', statistic: 'SUM', label: "Instances that were nobody's" }),
    threshold: 1,
  },
];

/** Alarms on too little: without the sweep, silent hosts and waiting tasks go unseen; without the fleet, idle hosts are paid for. */
const stoppedRunning = (scope: Construct, made: GantryFunction): cloudwatch.Alarm =>
  new cloudwatch.Alarm(scope, `${made.node.id}Stopped`, {
    alarmDescription: `Gantry: '${made.shortName}' has not run for five minutes.`,
    metric: made.metricInvocations({ period }),
    threshold: 1,
    evaluationPeriods: 1,
    comparisonOperator: cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
    treatMissingData: cloudwatch.TreatMissingData.BREACHING,
  });
