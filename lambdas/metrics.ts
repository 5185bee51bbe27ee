/**
 * The control plane's metrics in CloudWatch's embedded metric format: what an invocation counted becomes one log line for each set of
 * dimensions, when it has answered.
 */
import { MetricUnit, Metrics as Powertools } from '@aws-lambda-powertools/metrics';
import type { MetricDimensions, Metrics } from '../control/deps.ts';
import type { MetricName } from '../control/metrics/table.ts';
import type { CommonEnvironment } from './environment.ts';

export interface InvocationMetrics extends Metrics {
  /** Writes what was counted since the last time. */
  flush(): void;
}

const namespace = 'Gantry';
/** CloudWatch's limit for one line. */
const mostValues = 100;

interface Group {
  readonly dimensions: MetricDimensions;
  readonly values: { readonly name: MetricName; readonly value: number }[];
}

export function openMetrics({
  POWERTOOLS_METRICS_DISABLED: isDisabled,
}: Pick<CommonEnvironment, 'POWERTOOLS_METRICS_DISABLED'>): InvocationMetrics {
  if (isDisabled) return { count: () => {}, flush: () => {} };
  const metrics = new Powertools({ namespace: process.env.POWERTOOLS_METRICS_NAMESPACE ?? namespace });
  const groups = new Map<string, Group>();
  return {
    count(name, value, dimensions = {}) {
      const key = JSON.stringify(Object.entries(dimensions).sort(([a], [b]) => (a < b ? -1 : 1)));
      const group = groups.get(key) ?? { dimensions, values: [] };
      groups.set(key, group);
      group.values.push({ name, value });
      if (group.values.length < mostValues) return;
      write(metrics, group);
      groups.delete(key);
    },
    flush() {
      for (const group of groups.values()) write(metrics, group);
      groups.clear();
    },
  };
}

function write(metrics: Powertools, { dimensions, values }: Group): void {
  metrics.addDimensions({ ...dimensions });
  for (const { name, value } of values) metrics.addMetric(name, unitOf(name), value);
  metrics.publishStoredMetrics();
}

const unitOf = (name: MetricName) => (name.endsWith('Ms') ? MetricUnit.Milliseconds : MetricUnit.Count);
