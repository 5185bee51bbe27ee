/** What a run of the logs bench says, as the text that stands in bench/README.md. Pure. */
import { percentile } from '../statistics.ts';
import type { Sample } from './measure.ts';

interface Facts {
  readonly command: string;
  readonly date: string;
  readonly machine: string;
  /** Of one minute, before the bench began. */
  readonly loadBefore: number;
  readonly rounds: number;
  readonly seconds: number;
}

const median = (samples: readonly Sample[], of: (sample: Sample) => number | undefined): number =>
  percentile(
    samples.map((sample) => of(sample) ?? 0),
    0.5,
  );

export function reportText(
  { command, date, machine, loadBefore, rounds, seconds }: Facts,
  { gantry, bare }: { readonly gantry: readonly Sample[]; readonly bare: readonly Sample[] },
): string {
  const row = (name: string, samples: readonly Sample[], agent: string): string => {
    const [shim, containerd] = [median(samples, (one) => one.shim), median(samples, (one) => one.containerd)];
    return `| ${name} | ${shim.toFixed(2)} | ${containerd.toFixed(2)} | ${agent} |`;
  };
  const agent = median(gantry, (one) => one.agent);
  const alone = median(bare, (one) => one.shim + one.containerd);
  const lost = gantry.reduce((sum, { lostBytes = 0 }) => sum + Math.abs(lostBytes), 0);
  const most = Math.max(...gantry.map(({ agentRssMib = 0 }) => agentRssMib));
  return [
    `\`${command}\`, ${date}, ${rounds} rounds. ${machine}. Load before: ${loadBefore.toFixed(2)}.`,
    '',
    `| seconds of a processor for ${seconds} s of 100 MB/s (median) | shim | containerd | agent |`,
    '|---|---|---|---|',
    row('gantry', gantry, agent.toFixed(2)),
    row('bare', bare, '-'),
    '',
    `The agent uses ${((agent / seconds) * 100).toFixed(1)} % of a processor meanwhile, ${(agent / alone).toFixed(2)} times what shim and ` +
      `containerd use alone, and at most ${most.toFixed(0)} MiB of memory. Lost: ${lost} bytes of ${rounds * seconds * 100} MB; ` +
      `kept of each: ${median(gantry, (one) => one.keptMib).toFixed(0)} MiB, as the task definition has it.`,
  ].join('\n');
}
