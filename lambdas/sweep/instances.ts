/**
 * Does what EC2 says of instances: empties hosts whose machine is going to be taken away, and ends those whose machine is gone. A host
 * that is being emptied is followed to its deadline, because no sweep may come before that.
 */
import type { ControlDeps } from '../../control/deps.ts';
import { drainInstance } from '../../control/hosts/drain-instance.ts';
import { instanceGone, retireInstance } from '../../control/hosts/retire.ts';
import { drainHosts } from '../../control/loops/drain-hosts.ts';
import { meaningOf } from '../../core/ec2-notice.ts';
import { lookAgain, type Patience, type Work } from '../look-again.ts';
import { type InstancesWord, wordOf } from './notices.ts';

/** The drain has begun. Lists are some moments old, and one that does not show it yet would be the end of following it. */
const firstLookMs = 1000;

/** Instances that are no hosts of ours are nobody's. Throws where it could not be done, which EventBridge then tells of again. */
export async function instancesTold(deps: ControlDeps, event: unknown, patience: Patience): Promise<void> {
  const told = read(deps, event);
  if (told === undefined) return;
  const draining = new Map<string, Work>();
  const activate: ControlDeps['activate'] = (loop, cluster) => {
    if (loop === drainHosts.name && cluster !== undefined) draining.set(cluster, { loop: drainHosts, cluster });
  };
  let failure: unknown;
  for (const instanceId of told.instanceIds) {
    try {
      await tell({ ...deps, activate }, instanceId, told.word);
    } catch (error) {
      deps.log.error({ err: error, instanceId, ...told.word }, 'what was said of an instance could not be done');
      failure = error;
    }
  }
  const againAt = deps.clock.now() + firstLookMs;
  await lookAgain(
    deps,
    [...draining.values()].map((work) => ({ work, againAt })),
    patience,
  );
  if (failure !== undefined) throw failure;
}

/** Told again, an event that nobody can read is no better. */
function read({ log }: ControlDeps, event: unknown): InstancesWord | undefined {
  try {
    return wordOf(event);
  } catch (error) {
    log.error({ err: error, event }, 'an event that tells of instances cannot be read');
    return undefined;
  }
}

async function tell(deps: ControlDeps, instanceId: string, word: InstancesWord['word']): Promise<void> {
  if (word.kind !== 'gone') {
    await drainInstance(deps, instanceId, meaningOf(word));
    return;
  }
  const known = await retireInstance(deps, instanceId, instanceGone(instanceId, 'terminated'));
  if (known) deps.log.info({ instanceId }, 'the host of an instance has ended with it');
}
