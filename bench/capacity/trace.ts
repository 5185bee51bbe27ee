/**
 * The pods that the bench packs and replays: those of Alibaba's GPU trace of 2023 (openb), CPU and memory only, or others like them
 * where the trace is not there. The trace itself is not ours to pass on: only these statistics of it are here.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Offer } from '../../core/model/capacity.ts';
import { seededRandom } from '../../core/random.ts';

export interface Pod {
  readonly id: string;
  readonly cpuUnits: number;
  readonly memoryMib: number;
  /** Seconds since the first. */
  readonly arrivesAt: number;
  readonly lifeSeconds: number;
}

export interface Trace {
  readonly source: string;
  readonly pods: readonly Pod[];
}

const daySeconds = 86_400;
/** Of 150 days. Before, a pod came every few days. */
const firstDay = 115;

export function loadTrace(directory: string): Trace {
  const file = join(directory, 'pods.csv');
  return existsSync(file)
    ? { source: 'openb, days 115 to 149', pods: readPods(readFileSync(file, 'utf8')) }
    : { source: 'generated from the statistics of openb', pods: generatePods() };
}

function readPods(text: string): Pod[] {
  const [head = '', ...lines] = text.trim().split('\n');
  const columns = head.split(',');
  const rows = lines.map((line) => {
    const cells = line.split(',');
    const cell = (name: string): string => cells[columns.indexOf(name)] ?? '';
    const [cpu, memory, created, deleted] = ['cpu_milli', 'memory_mib', 'creation_time', 'deletion_time'].map((name) =>
      Number(cell(name)),
    );
    if (cpu === undefined || memory === undefined || created === undefined || deleted === undefined)
      throw new Error(`a line of the trace is not understood: ${line}`);
    return { id: cell('name'), cpu, memory, created, deleted };
  });
  return rows
    .filter(({ created }) => created >= firstDay * daySeconds)
    .map(({ id, cpu, memory, created, deleted }) => ({
      id,
      cpuUnits: Math.ceil(cpu * 1.024),
      memoryMib: memory,
      arrivesAt: created - firstDay * daySeconds,
      lifeSeconds: deleted - created,
    }))
    .sort((a, b) => a.arrivesAt - b.arrivesAt);
}

/** At these shares of all pods: */
const shares = [0, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1] as const;
const cpuMilli = [1000, 3152, 3152, 4000, 11_300, 12_000, 16_400, 32_000, 120_200] as const;
const mibPerCpu = [500, 1300, 1780, 1780, 3800, 4200, 4600, 7600, 12_000] as const;
const lifeSeconds = [1, 12, 80, 167, 540, 1974, 6574, 99_719, 12_537_496] as const;
const podCount = 8100;
const days = 35;

function generatePods(): Pod[] {
  const random = seededRandom(2023);
  const draw = (values: readonly number[]): number => {
    const at = random();
    const upper = Math.max(
      1,
      shares.findIndex((share) => share >= at),
    );
    const [low, high] = [shares[upper - 1] ?? 0, shares[upper] ?? 1];
    const [from, to] = [Math.log(values[upper - 1] ?? 1), Math.log(values[upper] ?? 1)];
    return Math.exp(from + ((at - low) / (high - low)) * (to - from));
  };
  return Array.from({ length: podCount }, (_, index) => {
    // To a few sizes, as people write them.
    const cpu = Math.round(draw(cpuMilli) / 500) * 500;
    return {
      id: `pod-${index}`,
      cpuUnits: Math.ceil(cpu * 1.024),
      memoryMib: Math.ceil((cpu * draw(mibPerCpu)) / 1000 / 1024) * 1024,
      arrivesAt: Math.floor(random() * days * daySeconds),
      lifeSeconds: Math.ceil(draw(lifeSeconds)),
    };
  }).sort((a, b) => a.arrivesAt - b.arrivesAt);
}

/** Those that one of the hosts holds. */
export const podsThatFit = (pods: readonly Pod[], offers: readonly Offer[]): Pod[] =>
  pods.filter((pod) =>
    offers.some(({ cpuUnits, memoryMib }) => pod.cpuUnits <= cpuUnits && pod.memoryMib <= memoryMib),
  );

/** The same pods in a shorter time, with lives as long as before: more of them at once. */
export const compress = (pods: readonly Pod[], factor: number): Pod[] =>
  pods.map((pod) => ({ ...pod, arrivesAt: Math.floor(pod.arrivesAt / factor) }));
