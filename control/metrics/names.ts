/** What Prometheus calls a metric: in its own spelling, in its own units, a counter by what it ends with. */
import type { MetricSpec } from './table.ts';

export function prometheusName(name: string, { kind, unit }: MetricSpec): string {
  const words = name
    .replace(/Ms$/, '')
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_')
    .toLowerCase();
  return `gantry_${words}${unit === 'milliseconds' ? '_seconds' : ''}${kind === 'counter' ? '_total' : ''}`;
}
