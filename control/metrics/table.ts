/**
 * Every metric of the control plane: what it counts, in what, by which labels. In AWS they are CloudWatch's by these names; on one machine
 * Prometheus' by names that follow from them (names.ts). docs/metrics.md is made of this table.
 */

export interface MetricSpec {
  /** A counter only grows; a gauge says how it is now; a histogram has how many took how long. */
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly unit: 'count' | 'milliseconds';
  /** A sentence without its full stop. */
  readonly help: string;
  readonly labels: readonly string[];
}

/** Counted by the control plane wherever it runs. Each is worth an alarm or a line of a dashboard; docs/operating.md says which. */
export const countedMetrics = {
  TasksPending: {
    kind: 'gauge',
    unit: 'count',
    help: 'Tasks that wait for a host, when the control plane has last tried to place them',
    labels: ['cluster'],
  },
  PlacementLatencyMs: {
    kind: 'histogram',
    unit: 'milliseconds',
    help: "From a task's creation until a host was chosen for it: the slowest of each commit",
    labels: ['cluster'],
  },
  PlacementRejected: {
    kind: 'counter',
    unit: 'count',
    help: 'Tasks that were refused because they fit nowhere and may not wait',
    labels: ['cluster', 'reason'],
  },
  PlacementTimedOut: {
    kind: 'counter',
    unit: 'count',
    help: 'Tasks that waited for a host until their deadline',
    labels: ['cluster'],
  },
  CommitConflicts: {
    kind: 'counter',
    unit: 'count',
    help: 'Placements that were planned again because others were quicker',
    labels: ['cluster'],
  },
  HostSilent: { kind: 'counter', unit: 'count', help: 'Hosts that fell silent', labels: ['cluster'] },
  HostsLost: {
    kind: 'counter',
    unit: 'count',
    help: 'Hosts that were silent for so long that their tasks were given up',
    labels: ['cluster'],
  },
  TasksLost: { kind: 'counter', unit: 'count', help: 'Tasks that were given up with their host', labels: ['cluster'] },
  HostDrift: {
    kind: 'counter',
    unit: 'count',
    help: 'Hosts whose reservations are not what their tasks amount to: a defect',
    labels: ['cluster'],
  },
  HostsOrdered: {
    kind: 'counter',
    unit: 'count',
    help: 'Hosts that were ordered for tasks that wait',
    labels: ['cluster'],
  },
  LaunchFaults: {
    kind: 'counter',
    unit: 'count',
    help: 'Orders of which some or all was not launched, by why in one word',
    labels: ['cluster', 'reason'],
  },
  HostsEnded: {
    kind: 'counter',
    unit: 'count',
    help: 'Bought hosts that went because they were not needed any more',
    labels: ['cluster'],
  },
  HostsNotJoined: {
    kind: 'counter',
    unit: 'count',
    help: 'Instances that were launched and did not become hosts in time',
    labels: ['cluster'],
  },
  OrphansEnded: {
    kind: 'counter',
    unit: 'count',
    help: 'Instances that nobody had bought, or not any more',
    labels: ['cluster'],
  },
  LoopFailed: { kind: 'counter', unit: 'count', help: 'Activations of loops that failed', labels: ['loop'] },
} as const satisfies Readonly<Record<string, MetricSpec>>;

export type MetricName = keyof typeof countedMetrics;

/** Of one machine alone: elsewhere the platform counts the like by itself. */
export const machineMetrics = {
  Requests: {
    kind: 'counter',
    unit: 'count',
    help: "Requests that were answered, by operation and by ECS' name of the error, or `ok`",
    labels: ['transport', 'operation', 'outcome'],
  },
  RequestDurationMs: {
    kind: 'histogram',
    unit: 'milliseconds',
    help: 'How long requests took until their answer began, calls that wait on wish included',
    labels: ['transport', 'operation'],
  },
  RequestsInFlight: { kind: 'gauge', unit: 'count', help: 'Requests that are being answered', labels: [] },
  StoreCommitMs: {
    kind: 'histogram',
    unit: 'milliseconds',
    help: 'How long commits of the store took, waiting for those beside them included',
    labels: ['outcome'],
  },
  Hosts: {
    kind: 'gauge',
    unit: 'count',
    help: 'Hosts that are known to placement',
    labels: ['cluster', 'status', 'connected'],
  },
  TasksOnHosts: {
    kind: 'gauge',
    unit: 'count',
    help: 'Tasks that have a host and have not ended',
    labels: ['cluster'],
  },
  LoopAgeMs: {
    kind: 'gauge',
    unit: 'milliseconds',
    help: 'How long ago each loop has last begun to run, the longest of all clusters',
    labels: ['loop'],
  },
} as const satisfies Readonly<Record<string, MetricSpec>>;

export type MachineMetricName = keyof typeof machineMetrics;
