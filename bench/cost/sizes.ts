/**
 * Lives of tasks in clusters of many hosts. The hosts are items alone, made past the counters; whichever a task is placed on is played by
 * one that signs for all of them and says what a real agent says, no more and no less.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { itemAttributes } from '../../control/store/attribute-values.ts';
import { getHostCapacity } from '../../control/store/hosts.ts';
import { ScriptedHost } from '../../test/control/support/scripted-host.ts';
import { hostIdOf, hostItems } from '../many-hosts.ts';
import { type Counts, times } from './counts.ts';
import { betweenLivesMs, family, logLines } from './lives.ts';
import type { CostStage } from './stage.ts';

export interface ManyHosts {
  /** Adds as many as are missing. */
  grow(count: number): Promise<void>;
  /** Of one life, the mean of `lives`. */
  measure(lives: number): Promise<Counts>;
  /** Of one host. */
  heartbeat(): Promise<void>;
}

export function manyHosts(stage: CostStage): ManyHosts {
  const { endpoint } = stage.cloud;
  const player = new ScriptedHost({
    hostsApp: { request: (path, init) => fetch(endpoint + path, init) },
    deps: { clock: { now: () => Date.now() } },
  });
  let made = 0;
  return {
    async grow(count) {
      await addHosts(stage, player.publicKey, made, count);
      made = Math.max(made, count);
    },
    async measure(lives) {
      // The first one finds functions that know nothing of the cluster yet.
      await liveOnce(stage, player);
      const counts = await stage.counting(async () => {
        for (let life = 0; life < lives; life += 1) {
          await delay(betweenLivesMs);
          await liveOnce(stage, player);
        }
      });
      return times(counts, 1 / lives);
    },
    async heartbeat() {
      player.hostId = hostIdOf(0);
      await player.heartbeat();
    },
  };
}

async function liveOnce(stage: CostStage, player: ScriptedHost): Promise<void> {
  const { tasks } = await stage.cloud.client.call('RunTask', { taskDefinition: family, startedBy: 'bench' });
  const [task] = tasks;
  const id = task?.taskArn.split('/').at(-1) ?? '';
  player.hostId = task?.containerInstanceArn?.split('/').at(-1) ?? '';
  player.etag = undefined;
  const set = await player.fetch();
  player.storeEpoch = set?.storeEpoch ?? '';
  player.start(id);
  await player.report();
  player.end(id);
  const entry = player.tasks.get(id);
  if (entry === undefined) throw new Error(`the task ${id} is not in the set of the host that it was placed on`);
  const at = Date.now();
  const lastLogLines = logLines.map((text) => ({ at, container: 'app', stream: 'stdout' as const, text }));
  const { observation } = entry;
  entry.observation = { ...observation, containers: observation.containers.map((one) => ({ ...one, lastLogLines })) };
  await player.report();
}

const itemsPerBatch = 25;

async function addHosts({ cloud, table }: CostStage, publicKey: string, from: number, to: number): Promise<void> {
  const { GANTRY_TABLE: tableName = '' } = cloud.lambda('api').config.environment;
  const now = Date.now();
  const items = Array.from({ length: Math.max(0, to - from) }, (_, n) => hostItems(from + n, publicKey, now)).flat();
  for (let begin = 0; begin < items.length; begin += itemsPerBatch) {
    const puts = items
      .slice(begin, begin + itemsPerBatch)
      .map((item) => ({ PutRequest: { Item: itemAttributes(item) } }));
    await cloud.world.emulator('DynamoDB', 'BatchWriteItem', { RequestItems: { [tableName]: puts } });
  }
  if (to > from && (await getHostCapacity(table, cluster, hostIdOf(to - 1))) === undefined)
    throw new Error('the hosts were not made');
}

const cluster = 'default';
