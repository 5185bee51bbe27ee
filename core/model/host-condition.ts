/** What is the matter with a host that is to take tasks and does not: one word, and a sentence for people. Told from its capacity alone. */
import { z } from 'zod';
import { formatTime, plural } from '../text.ts';
import type { HostCapacity } from './host.ts';

export const hostConditionSchema = z.enum(['UNKNOWN_STORE', 'SILENT', 'LOST', 'REPORTING']);
export type HostCondition = z.infer<typeof hostConditionSchema>;

/** Undefined where nothing is, or the host is no host any more or not yet. */
export function hostCondition(host: HostCapacity): HostCondition | undefined {
  const { status, connected, epoch, reportedEpoch, unknownStore } = host;
  if (status === 'INACTIVE') return undefined;
  if (unknownStore !== undefined) return 'UNKNOWN_STORE';
  if (reportedEpoch === 0) return undefined;
  const isCurrent = reportedEpoch === epoch;
  if (!connected) return isCurrent ? 'SILENT' : 'LOST';
  return isCurrent ? undefined : 'REPORTING';
}

export function conditionReason(host: HostCapacity, condition: HostCondition): string {
  const { connectedChangedAt, unknownStore } = host;
  const since = formatTime(connectedChangedAt);
  switch (condition) {
    case 'UNKNOWN_STORE':
      return unknownStoreReason(host.name, unknownStore);
    case 'SILENT':
      return `Not heard since ${since}: it keeps its tasks, and takes no new ones.`;
    case 'LOST':
      return `Not heard since ${since}: its tasks were given up, though they may still run on it.`;
    case 'REPORTING':
      return `Back since ${since}: it takes tasks once its agent has reported all that it runs.`;
  }
}

function unknownStoreReason(name: string, found: HostCapacity['unknownStore']): string {
  if (found?.decision !== undefined)
    return `It is decided (${found.decision}), and its agent is about to belong to this store.`;
  const { tasks = 0, unknown = 0, missing = 0 } = found ?? {};
  const what = `${plural(tasks, 'task')} (${unknown} unknown here), and not ${missing} that this store has of it`;
  return `Its agent belongs to another store, or to this one as it was later, and has ${what}: gantry adopt ${name}, or gantry discard ${name}.`;
}
