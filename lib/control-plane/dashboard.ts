/** One page that answers: are requests served, are hosts there, does anything wait, does the stream keep up? */
import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { listOf } from './functions.ts';
import { type OwnMetrics, ownMetric, tableThrottlesOf, throttlesOf, type Watched } from './watched.ts';

const period = Duration.minutes(5);
const sum = { period, statistic: 'Sum' } as const;
const p99 = { period, statistic: 'p99' } as const;

export function makeDashboard(scope: Construct, watched: Watched): cloudwatch.Dashboard {
  const rows = [
    ...(watched.ownMetrics === undefined ? [] : [clusterRow(watched.ownMetrics)]),
    ...(watched.ownMetrics === undefined || watched.functions.fleet === undefined
      ? []
      : [buyingRow(watched.ownMetrics)]),
    requestRow(watched),
    functionRow(watched),
    storeRow(watched),
  ];
  return new cloudwatch.Dashboard(scope, 'Dashboard', { defaultInterval: Duration.hours(3), widgets: rows });
}

const graph = (title: string, left: cloudwatch.IMetric[], width = 8): cloudwatch.GraphWidget =>
  new cloudwatch.GraphWidget({ title, left, width, height: 6, leftYAxis: { min: 0 } });

const clusterRow = (own: OwnMetrics): cloudwatch.IWidget[] => [
  graph('Tasks that wait for a host', [
    ownMetric(own, { name: 'TasksPending', statistic: 'MAX', by: 'cluster', label: '' }),
  ]),
  graph('Tasks refused, or given up', [
    ownMetric(own, { name: 'PlacementRejected', statistic: 'SUM', label: 'Refused' }),
    ownMetric(own, { name: 'PlacementTimedOut', statistic: 'SUM', label: 'Gave up waiting' }),
  ]),
  graph('Hosts', [
    ownMetric(own, { name: 'HostSilent', statistic: 'SUM', label: 'Fell silent' }),
    ownMetric(own, { name: 'HostDrift', statistic: 'SUM', label: 'Drifted' }),
  ]),
];

const buyingRow = (own: OwnMetrics): cloudwatch.IWidget[] => [
  graph('Hosts bought and ended', [
    ownMetric(own, { name: 'HostsOrdered', statistic: 'SUM', label: 'Ordered' }),
    ownMetric(own, { name: 'HostsEnded', statistic: 'SUM', label: 'Ended' }),
  ]),
  graph('Orders that were refused, by reason', [
    ownMetric(own, { name: 'LaunchFaults', statistic: 'SUM', by: 'reason', label: '' }),
  ]),
  graph('Instances of no use', [
    ownMetric(own, { name: 'HostsNotJoined', statistic: 'SUM', label: 'Did not join' }),
    ownMetric(own, { name: 'OrphansEnded', statistic: 'SUM', label: "Were nobody's" }),
  ]),
];

const requestRow = ({ controlPlane }: Watched): cloudwatch.IWidget[] => [
  graph('Requests', [controlPlane.metricApi('Count', { ...sum, label: 'Requests' })]),
  graph('Refused and failed requests', [
    controlPlane.metricApi('4xx', { ...sum, label: '4xx' }),
    controlPlane.metricApi('5xx', { ...sum, label: '5xx' }),
  ]),
  graph('Slowest requests in a hundred (ms)', [controlPlane.metricApi('Latency', { ...p99, label: 'p99' })]),
];

const functionRow = ({ functions }: Watched): cloudwatch.IWidget[] => [
  graph(
    'Invocations',
    listOf(functions).map((made) => made.metricInvocations({ ...sum, label: made.shortName })),
  ),
  graph('Failed and refused invocations', [
    ...listOf(functions).map((made) => made.metricErrors({ ...sum, label: made.shortName })),
    throttlesOf(functions).with({ label: 'refused' }),
  ]),
  graph(
    'Slowest invocations in a hundred (ms)',
    listOf(functions).map((made) => made.metricDuration({ ...p99, label: made.shortName })),
  ),
];

const storeRow = ({ table, consumers }: Watched): cloudwatch.IWidget[] => [
  graph('Units of the table', [
    table.metric('ConsumedWriteCapacityUnits', { ...sum, label: 'Written' }),
    table.metric('ConsumedReadCapacityUnits', { ...sum, label: 'Read' }),
    tableThrottlesOf(table).with({ label: 'Refused' }),
  ]),
  graph(
    'Stream: age of what is handled (ms)',
    consumers.map(({ reader }) =>
      reader.metric('IteratorAge', { period, statistic: 'Maximum', label: reader.shortName }),
    ),
  ),
  graph(
    'Changes given up on',
    consumers.map(({ reader, deadLetters }) =>
      deadLetters.metricApproximateNumberOfMessagesVisible({ period, label: reader.shortName }),
    ),
  ),
];
