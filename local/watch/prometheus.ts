/** The control plane's metrics for Prometheus, by the table of metrics. Counts what it is told; what is only read now and then is asked for. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Metrics } from '../../control/deps.ts';
import { prometheusName } from '../../control/metrics/names.ts';
import {
  countedMetrics,
  type MachineMetricName,
  type MetricSpec,
  machineMetrics,
} from '../../control/metrics/table.ts';

type Labels = Readonly<Record<string, string | undefined>>;

export interface Prometheus {
  /** What the control plane counts wherever it runs. */
  readonly metrics: Metrics;
  /** A counter grows by the value, a gauge becomes it, a histogram has one more. */
  note(name: MachineMetricName, value: number, labels?: Labels): void;
  /** A gauge grows or shrinks. */
  move(name: MachineMetricName, by: 1 | -1): void;
  /** Forgets what a gauge has said before it is told anew. */
  forget(name: MachineMetricName): void;
  readonly contentType: string;
  /** As Prometheus reads it. */
  render(): Promise<string>;
}

type Note = (value: number, labels: Labels) => void;

interface Instrument {
  readonly note: Note;
  readonly gauge: Gauge | undefined;
}

/** From half a millisecond to a long poll's half a minute. */
const secondsBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export function openPrometheus(): Prometheus {
  const registry = new Registry();
  const instruments = new Map(
    Object.entries({ ...countedMetrics, ...machineMetrics }).map(([name, spec]) => [
      name,
      instrumentOf(registry, name, spec),
    ]),
  );
  let ofProcess = false;
  const note = (name: string, value: number, labels: Labels): void => instruments.get(name)?.note(value, labels);
  return {
    metrics: { count: (name, value, labels = {}) => note(name, value, { ...labels }) },
    note: (name, value, labels = {}) => note(name, value, labels),
    move: (name, by) => instruments.get(name)?.gauge?.inc(by),
    forget: (name) => instruments.get(name)?.gauge?.reset(),
    contentType: registry.contentType,
    render() {
      // What watches the event loop wakes the process up, so it begins when somebody wants to know.
      if (!ofProcess) collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 50 });
      ofProcess = true;
      return registry.metrics();
    },
  };
}

function instrumentOf(registry: Registry, name: string, spec: MetricSpec): Instrument {
  const inUnits = spec.unit === 'milliseconds' ? 1 / 1000 : 1;
  const options = {
    name: prometheusName(name, spec),
    help: `${spec.help}.`,
    labelNames: [...spec.labels],
    registers: [registry],
  };
  // prom-client throws at a label that it was not told of, and counting must break nothing.
  const known = (labels: Labels) => Object.fromEntries(spec.labels.map((label) => [label, labels[label] ?? '']));
  if (spec.kind === 'counter') {
    const counter = new Counter(options);
    return { note: (value, labels) => counter.inc(known(labels), value * inUnits), gauge: undefined };
  }
  if (spec.kind === 'gauge') {
    const gauge = new Gauge(options);
    return { note: (value, labels) => gauge.set(known(labels), value * inUnits), gauge };
  }
  const histogram = new Histogram({ ...options, buckets: secondsBuckets });
  return { note: (value, labels) => histogram.observe(known(labels), value * inUnits), gauge: undefined };
}
