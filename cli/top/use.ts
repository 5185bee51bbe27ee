/** What containers use, from two readings of what their hosts say: rates, amounts and limits, by container and by task. Pure. */
import type { Output as Answer } from '../../core/api/operations.ts';

type ContainerStats = Answer<'GetHostStats'>['containers'][number];

export interface Reading extends ContainerStats {
  readonly host: string;
}

/** Of a container, or of a task: then the sum of its containers. Rates are absent before there are two readings. */
export interface Use {
  readonly taskArn: string;
  readonly taskDefinitionArn: string;
  /** Absent for a task. */
  readonly container?: string;
  readonly host: string;
  /** Of one processor: 200 are two. */
  readonly cpuPercent?: number;
  /** Without files that can be dropped at once. */
  readonly memoryBytes: number;
  readonly memoryLimitBytes?: number;
  readonly network?: Rates;
  readonly blockIo?: Rates;
  readonly pids: number;
}

/** Bytes a second: received and sent, or read and written. */
export interface Rates {
  readonly in: number;
  readonly out: number;
}

export const sortKeys = ['cpu', 'memory', 'network', 'io', 'pids', 'task'] as const;
export type SortKey = (typeof sortKeys)[number];

export const keyOf = ({ taskArn, name }: ContainerStats): string => `${taskArn} ${name}`;

export function useOf(after: Reading, before: Reading | undefined): Use {
  const { taskArn, taskDefinitionArn, name, host, cpu, memory, network, blockIo, pids } = after;
  const seconds = before === undefined ? 0 : (after.readAt.getTime() - before.readAt.getTime()) / 1000;
  // A counter that shrank belongs to another container of the same name: nothing is known of its rate yet.
  const rate = (now: number | undefined, then: number | undefined): number | undefined =>
    now === undefined || then === undefined || seconds <= 0 || now < then ? undefined : (now - then) / seconds;
  const cpuRate = rate(cpu.usageNanos, before?.cpu.usageNanos);
  const [traffic, earlier] = [trafficOf(network), trafficOf(before?.network)];
  const networkRates = ratesOf(rate(traffic?.in, earlier?.in), rate(traffic?.out, earlier?.out));
  const ioRates = ratesOf(
    rate(blockIo?.readBytes, before?.blockIo?.readBytes),
    rate(blockIo?.writtenBytes, before?.blockIo?.writtenBytes),
  );
  return {
    taskArn,
    taskDefinitionArn,
    container: name,
    host,
    ...(cpuRate !== undefined && { cpuPercent: cpuRate / 1e7 }),
    memoryBytes: memory.workingSetBytes,
    ...(memory.limitBytes !== undefined && { memoryLimitBytes: memory.limitBytes }),
    ...(networkRates !== undefined && { network: networkRates }),
    ...(ioRates !== undefined && { blockIo: ioRates }),
    pids: pids.current,
  };
}

const ratesOf = (into: number | undefined, out: number | undefined): Rates | undefined =>
  into === undefined || out === undefined ? undefined : { in: into, out };

function trafficOf(network: ContainerStats['network']): Rates | undefined {
  if (network === undefined) return undefined;
  const sum = { in: 0, out: 0 };
  for (const { rxBytes, txBytes } of Object.values(network)) {
    sum.in += rxBytes;
    sum.out += txBytes;
  }
  return sum;
}

/** Tasks in order, each before its containers where it has several. */
export function inOrder(uses: readonly Use[], by: SortKey): Use[] {
  const tasks = [...Map.groupBy(uses, ({ taskArn }) => taskArn).values()].map((containers) => ({
    whole: wholeOf(containers),
    containers,
  }));
  const compare = (a: Use, b: Use): number =>
    amountOf(b, by) - amountOf(a, by) || named(a).localeCompare(named(b), 'en');
  return tasks
    .toSorted((a, b) => compare(a.whole, b.whole))
    .flatMap(({ whole, containers }) =>
      containers.length === 1 ? containers : [whole, ...containers.toSorted((a, b) => compare(a, b))],
    );
}

const named = ({ taskDefinitionArn, taskArn, container = '' }: Use): string =>
  `${taskDefinitionArn} ${taskArn} ${container}`;

function amountOf({ cpuPercent = 0, memoryBytes, network, blockIo, pids }: Use, by: SortKey): number {
  const sum = (rates: Rates | undefined): number => (rates === undefined ? 0 : rates.in + rates.out);
  return { cpu: cpuPercent, memory: memoryBytes, network: sum(network), io: sum(blockIo), pids, task: 0 }[by];
}

function wholeOf(containers: readonly Use[]): Use {
  const [first] = containers;
  if (first === undefined) throw new Error('a task has containers');
  const { taskArn, taskDefinitionArn, host } = first;
  const total = (of: (use: Use) => number | undefined): number | undefined => {
    const known = containers.flatMap((use) => of(use) ?? []);
    return known.length === 0 ? undefined : known.reduce((sum, each) => sum + each, 0);
  };
  const cpuPercent = total((use) => use.cpuPercent);
  const network = ratesOf(
    total((use) => use.network?.in),
    total((use) => use.network?.out),
  );
  const blockIo = ratesOf(
    total((use) => use.blockIo?.in),
    total((use) => use.blockIo?.out),
  );
  return {
    taskArn,
    taskDefinitionArn,
    host,
    ...(cpuPercent !== undefined && { cpuPercent }),
    memoryBytes: total((use) => use.memoryBytes) ?? 0,
    ...(network !== undefined && { network }),
    ...(blockIo !== undefined && { blockIo }),
    pids: total((use) => use.pids) ?? 0,
  };
}
