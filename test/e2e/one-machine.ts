/** The cloud of one machine, as `gantry up` starts it, for the end-to-end tests. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startCloud } from '../support/cloud.ts';
import type { Cloud, CloudOptions } from './cloud.ts';

/** `upArgs`: more that `gantry up` is told. */
export async function startOneMachine({ hosts }: CloudOptions, upArgs: readonly string[]): Promise<Cloud> {
  const cloud = await startCloud(['--hosts', `${hosts}`, ...upArgs]);
  const { name, dataDir, runDir, endpoint, credentials, env, client } = cloud;
  return {
    name,
    dataDir,
    runDir,
    endpoint,
    credentials,
    env,
    client,
    kill: (victim) => killHard(join(runDir, `${victim === 'control-plane' ? 'server' : victim}.pid`)),
    async down() {
      const { code, stdout, stderr } = await cloud.gantry(['down', '--run-dir', runDir, '--data', dataDir]);
      if (code !== 0) throw new Error(`gantry down failed (${code}):\n${stdout}${stderr}`);
    },
    [Symbol.asyncDispose]: () => cloud[Symbol.asyncDispose](),
  };
}

/** Waits until there is one to kill: the supervisor may be starting it again. */
export async function killHard(pidFile: string): Promise<void> {
  while (true) {
    try {
      const pid = Number(readFileSync(pidFile, 'utf8'));
      if (pid === 0) throw new Error('no pid is noted yet; 0 would be our own process group');
      process.kill(pid, 'SIGKILL');
      return;
    } catch {
      await delay(10);
    }
  }
}
