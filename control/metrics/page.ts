/** docs/metrics.md: every metric by both of its names. */
import { prometheusName } from './names.ts';
import { countedMetrics, type MetricSpec, machineMetrics } from './table.ts';

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const code = (text: string): string => `\`${text}\``;
const list = (names: readonly string[]): string => (names.length === 0 ? '' : names.map(code).join(', '));

const table = (headings: readonly string[], rows: readonly (readonly string[])[]): string[] => [
  row(headings),
  row(headings.map(() => '---')),
  ...rows.map(row),
];

const sorted = (metrics: Readonly<Record<string, MetricSpec>>) =>
  Object.entries(metrics).toSorted(([a], [b]) => (a < b ? -1 : 1));

export const metricsPage = (): string =>
  [
    '# Metrics',
    '',
    'Generated from `control/metrics/table.ts` by `npm run generate`. [operating.md](operating.md) says who may read them, and which are',
    'worth an alarm.',
    '',
    '## Of the control plane, wherever it runs',
    '',
    'In AWS they are in the namespace of CloudWatch that the stack names (`Gantry`), with a dimension `service` besides; a histogram is there',
    'the single values. On one machine `GET /metrics` has them for Prometheus, durations in seconds.',
    '',
    ...table(
      ['CloudWatch', 'Prometheus', 'kind', 'labels', 'what it is'],
      sorted(countedMetrics).map(([name, spec]) => [
        code(name),
        code(prometheusName(name, spec)),
        spec.kind,
        list(spec.labels),
        spec.help,
      ]),
    ),
    '',
    '## Of one machine alone',
    '',
    "In AWS the like is counted by what runs the control plane: API Gateway, Lambda and DynamoDB have metrics of their own, which the stack's",
    'alarms and dashboard use.',
    '',
    ...table(
      ['Prometheus', 'kind', 'labels', 'what it is'],
      sorted(machineMetrics).map(([name, spec]) => [
        code(prometheusName(name, spec)),
        spec.kind,
        list(spec.labels),
        spec.help,
      ]),
    ),
    '',
    'Besides these there are `process_*` and `nodejs_*` of the process itself, as prom-client names them: memory, processor time, open',
    'files, garbage collections, and in `nodejs_eventloop_lag_*` how late the event loop is. They begin with the first request for metrics.',
    '',
  ].join('\n');
