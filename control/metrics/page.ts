/** docs/metrics.md: every metric by both of its names. */
import { containerPrefix, containerSeries, hostAnswered, interfaceSeries } from './containers.ts';
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

const seriesRows = (
  series: Readonly<Record<string, { readonly kind: string; readonly help: string }>>,
  labels: readonly string[],
): string[][] =>
  Object.entries(series).map(([name, { kind, help }]) => [code(containerPrefix + name), kind, list(labels), help]);

const aboutContainers = [
  '`GET /metrics/containers` has what each running container has used, with the labels `cluster`, `host`, `family`, `revision`, `task` and',
  '`container`; `?cluster=NAME` has one cluster. A page of its own, so that each is scraped as often as it is worth: a container has some',
  'twenty-five series. When it is read the control plane asks every connected host over the channel that the host keeps open (64 at once,',
  'four seconds each), and the host reads its control groups then: no port is opened on a host, and nothing is read or sent while nobody',
  'asks. Who may read it is said by the same rule as for `/metrics`; a key of certain clusters may read those. `gantry top` and',
  '`GetHostStats` show the same numbers.',
  '',
  'In AWS hosts have no channel, so there is no such page, and `gantry top` shows what is reserved but not what is used. A container reads',
  "its own and its task's statistics there as everywhere from `ECS_CONTAINER_METADATA_URI_V4`, and collectors that know ECS (as a container",
  'of the task) take them from it.',
];

const aboutKernels = [
  'Numbers mean the same under control groups version 1 and 2. Some are absent where the kernel does not say: those of block devices under',
  'version 1 on newer kernels, which count only where something is throttled; those of the network in network mode `host` and `none`; a',
  'limit where there is none. A rate is `rate(gantry_container_cpu_usage_seconds_total[5m])`, in processors.',
];

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
    '## Of containers',
    '',
    ...aboutContainers,
    '',
    ...table(
      ['Prometheus', 'kind', 'labels besides', 'what it is'],
      [
        ...seriesRows(containerSeries, []),
        ...seriesRows(interfaceSeries, ['interface']),
        [code(hostAnswered.name), hostAnswered.kind, 'only `cluster`, `host`', hostAnswered.help],
      ],
    ),
    '',
    ...aboutKernels,
    '',
  ].join('\n');
