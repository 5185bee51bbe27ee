/**
 * What this process has read lately and may read again from memory: the bodies of revisions, which never change, and clusters that
 * were ACTIVE a moment ago. Holds nothing that must be read strongly.
 */
import type { Cluster } from '../core/model/cluster.ts';
import type { TaskDefinition } from '../core/model/task-definition.ts';
import type { Clock } from './deps.ts';
import { getCluster } from './store/clusters.ts';
import type { Table } from './store/table.ts';
import { getRevisionBody, type RevisionReference } from './store/task-definitions.ts';

export interface RecentReads {
  /** undefined where there is no such revision. */
  revisionBody(at: RevisionReference): Promise<TaskDefinition | undefined>;
  /** The cluster if it is ACTIVE, or was within the last second. */
  activeCluster(name: string): Promise<Cluster | undefined>;
  /** The cluster was changed by this process. */
  clusterChanged(name: string): void;
}

const maxRevisions = 1000;
const clusterAgeMs = 1000;

export function createRecentReads(table: Table, clock: Clock): RecentReads {
  const revisions = new Map<string, TaskDefinition>();
  const clusters = new Map<string, { cluster: Cluster; readAt: number }>();

  return {
    async revisionBody(at) {
      const name = `${at.family}:${at.revision}`;
      const known = revisions.get(name);
      if (known !== undefined) return known;
      const body = await getRevisionBody(table, at);
      const oldest = revisions.keys().next().value;
      if (revisions.size >= maxRevisions && oldest !== undefined) revisions.delete(oldest);
      if (body !== undefined) revisions.set(name, body);
      return body;
    },
    async activeCluster(name) {
      const now = clock.now();
      const known = clusters.get(name);
      if (known !== undefined && now - known.readAt < clusterAgeMs) return known.cluster;
      const cluster = await getCluster(table, name);
      if (cluster?.status === 'ACTIVE') clusters.set(name, { cluster, readAt: now });
      else clusters.delete(name);
      return cluster?.status === 'ACTIVE' ? cluster : undefined;
    },
    clusterChanged: (name) => void clusters.delete(name),
  };
}
