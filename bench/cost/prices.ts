/**
 * AWS' list prices in us-east-1 (USD, no free tier) and what counts cost by them. Processor time of functions is not what this machine
 * took but a stated model, because Lambda's processors are others; it is the model of the design's cost estimate.
 */
import type { Counts, FunctionName } from './counts.ts';

const million = 1_000_000;
const gigabyte = 1024 ** 3;

export const prices = {
  writeUnit: 0.625 / million,
  readUnit: 0.125 / million,
  httpRequest: 1 / million,
  webSocketMessage: 1 / million,
  connectionMinute: 0.25 / million,
  invocation: 0.2 / million,
  /** arm64. */
  gigabyteSecond: 0.000_013_333_4,
  logByte: 0.5 / gigabyte,
  event: 1 / million,
  scheduled: 1 / million,
  alarmMonth: 0.1,
  dashboardMonth: 3,
  keyMonth: 1,
  metricMonth: 0.3,
  trace: 5 / million,
} as const;

/** Billed milliseconds of a warm invocation. */
export const billedMs: Readonly<Record<FunctionName, number>> = {
  api: 60,
  hosts: 20,
  wake: 20,
  events: 20,
  sweep: 60,
  // Of a cluster in which nothing waits: the function reads that, and ends.
  fleet: 60,
  resources: 100,
};

/** One line a service; what can be switched off is not among them. */
export interface Priced {
  readonly writes: number;
  readonly reads: number;
  readonly gateway: number;
  readonly functions: number;
  readonly logs: number;
  readonly total: number;
}

export type MemoryMib = Readonly<Record<FunctionName, number>>;

const functionCost = (name: FunctionName, invocations: number, memoryMib: MemoryMib): number =>
  invocations * (prices.invocation + ((memoryMib[name] / 1024) * billedMs[name] * prices.gigabyteSecond) / 1000);

export function priced(counts: Counts, memoryMib: MemoryMib): Priced {
  const writes = counts.writeUnits * prices.writeUnit;
  const reads = counts.readUnits * prices.readUnit;
  const gateway =
    counts.httpRequests * prices.httpRequest +
    counts.webSocketMessages * prices.webSocketMessage +
    counts.connectionMinutes * prices.connectionMinute;
  // The function that puts events is a part of what events cost, and so is the one that buys of buying.
  const names = (Object.keys(counts.invocations) as FunctionName[]).filter((name) => !switched.includes(name));
  const functions = names.reduce((sum, name) => sum + functionCost(name, counts.invocations[name], memoryMib), 0);
  const logs = (counts.accessLogBytes + counts.functionLogBytes) * prices.logByte;
  return { writes, reads, gateway, functions, logs, total: writes + reads + gateway + functions + logs };
}

const switched: readonly FunctionName[] = ['events', 'fleet'];

/** What has a switch, beside the total. */
export const fleetCost = ({ invocations }: Counts, memoryMib: MemoryMib): number =>
  functionCost('fleet', invocations.fleet, memoryMib);
export const eventsCost = (counts: Counts, memoryMib: MemoryMib): number =>
  counts.events * prices.event +
  counts.eventWriteUnits * prices.writeUnit +
  functionCost('events', counts.invocations.events, memoryMib);
/** An entry below 1 KB in the transaction of RunTask. */
export const auditCost = 2 * prices.writeUnit;
export const metricsCost = ({ metricBytes }: Counts): number => metricBytes * prices.logByte;
export const tracingCost = ({ invocations }: Counts): number =>
  Object.values(invocations).reduce((sum, n) => sum + n, 0) * prices.trace;
