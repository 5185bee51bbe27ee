/**
 * What a principal may do: actions, the clusters in which, and what its tasks may take with them. Pure form and comparison; who asks for
 * which right is control/http/auth.
 */
import { z } from 'zod';
import { allActions } from '../api/operation.ts';

/** Ways in which tasks may reach their host (host-access.ts says by which members). */
export const hostAccessKinds = ['host-network', 'host-paths', 'privileged'] as const;
export type HostAccess = (typeof hostAccessKinds)[number];

export const rightsSchema = z.object({
  actions: z.array(z.enum(allActions)),
  /** Names of the clusters that it may use. */
  clusters: z.union([z.literal('all'), z.array(z.string())]),
  /** ARNs of the IAM roles that its tasks may take; `*` stands for any text. */
  taskRoles: z.array(z.string()),
  /** How its tasks may reach their host. */
  hostAccess: z.array(z.enum(hostAccessKinds)),
  /** So many of its tasks may wait in a cluster; any number where absent. */
  maxWaitingTasks: z.number().int().nonnegative().optional(),
});
type StoredRights = z.infer<typeof rightsSchema>;
export interface Rights {
  readonly actions: readonly StoredRights['actions'][number][];
  readonly clusters: 'all' | readonly string[];
  readonly taskRoles: readonly string[];
  readonly hostAccess: readonly StoredRights['hostAccess'][number][];
  readonly maxWaitingTasks?: number | undefined;
}

/** What an administrator has, and whoever IAM has let through. */
export const everyRight = {
  actions: allActions,
  clusters: 'all',
  taskRoles: ['*'],
  hostAccess: hostAccessKinds,
} as const satisfies Rights;

export const mayTakeEverything = ({ taskRoles, hostAccess }: Pick<Rights, 'taskRoles' | 'hostAccess'>): boolean =>
  taskRoles.includes('*') && hostAccessKinds.every((kind) => hostAccess.includes(kind));
