/** A run of the cost bench: lives of tasks in clusters of several sizes, then hosts that idle. */
import { startHost } from '../../test/cloud/test-host.ts';
import { machineLine } from '../figures.ts';
import type { Counts } from './counts.ts';
import { measureIdle } from './idle.ts';
import { hostsReady, measureLives, registerFamily, retire } from './lives.ts';
import type { CostResult } from './report.ts';
import { manyHosts } from './sizes.ts';
import { type CostStage, openStage } from './stage.ts';

const sizes = [100, 1000, 10_000];
const idleHosts = 3;
/** Longer than the lives take, so that no heartbeat is counted with them. */
const noHeartbeatSeconds = 300;

export interface CostRun {
  readonly lives: number;
  readonly minutes: number;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export async function measureCost(run: CostRun): Promise<CostResult> {
  const { lives, minutes, say, signal } = run;
  const ofLives = await livesOf(run);
  await using stage = await openStage({ heartbeatSeconds: 60 });
  say(`${idleHosts} hosts idle for ${minutes} minutes`);
  return {
    command: `npm run bench -- cost --lives ${lives} --minutes ${minutes}`,
    date: new Date().toISOString().slice(0, 10),
    machine: machineLine(),
    memoryMib: stage.memoryMib,
    lives: ofLives,
    idleHosts,
    idle: await measureIdle(stage, { hosts: idleHosts, minutes, signal }),
    ...madeByTemplate(stage),
  };
}

async function livesOf({ lives, say, signal }: CostRun): Promise<(readonly [string, Counts])[]> {
  await using stage = await openStage({ heartbeatSeconds: noHeartbeatSeconds });
  await registerFamily(stage);
  const results: (readonly [string, Counts])[] = [];
  {
    await using host = await startHost(stage.cloud, 'host-1');
    await hostsReady(stage, 1);
    results.push(['1 host', await measureLives(stage, host, { lives })]);
    results.push(['with a client token', await measureLives(stage, host, { lives, withToken: true })]);
    await retire(stage, host);
  }
  const many = manyHosts(stage);
  for (const size of sizes) {
    signal.throwIfAborted();
    say(`${size} hosts`);
    await many.grow(size);
    results.push([`${size.toLocaleString('en')} hosts`, await many.measure(lives)]);
  }
  return results;
}

function madeByTemplate({ resourceTypes }: CostStage): Pick<CostResult, 'alarms' | 'dashboards' | 'keys'> {
  const count = (type: string): number => resourceTypes.filter((one) => one === type).length;
  return {
    alarms: count('AWS::CloudWatch::Alarm'),
    dashboards: count('AWS::CloudWatch::Dashboard'),
    keys: count('AWS::KMS::Key'),
  };
}
