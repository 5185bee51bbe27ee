/** `Custom::GantryCluster`: a cluster, and the role whose instances may become its hosts. Its physical id is the cluster's name. */
import { z } from 'zod';
import { forgetHostRole, registerHostRole } from '../../control/hosts/instances.ts';
import { createCluster, deleteCluster } from '../../control/operations/clusters.ts';
import { clusterArn } from '../../core/arn.ts';
import { GantryError } from '../../core/errors.ts';
import type { Made, ResourceContext, ResourceKind } from './kind.ts';

const propertiesSchema = z.object({
  ClusterName: z.string(),
  /** Unique id of the role (`AROA…`). */
  HostRoleId: z.string().min(1).optional(),
});
type Properties = z.infer<typeof propertiesSchema>;

export const clusterKind: ResourceKind<Properties> = {
  properties: propertiesSchema,
  create: make,
  async update(context, properties, former) {
    const made = await make(context, properties);
    const isReplaced = former?.ClusterName !== properties.ClusterName;
    // Where the cluster is another, the deletion of the former one forgets its role.
    if (!isReplaced && former.HostRoleId !== properties.HostRoleId) await forgetRole(context, former);
    return made;
  },
  async delete(context, properties, id) {
    // One that was never made has another id; a cluster of this name is then somebody else's.
    if (id === properties.ClusterName) await removeCluster(context, id);
    // Last: a cluster whose deletion is refused goes on with its hosts.
    await forgetRole(context, properties);
  },
};

async function make(context: ResourceContext, { ClusterName: name, HostRoleId: roleId }: Properties): Promise<Made> {
  const { deps } = context;
  // First: where the role is another cluster's, no cluster is left behind.
  if (roleId !== undefined) await registerHostRole(deps, { roleId, cluster: name });
  await createCluster(context, { clusterName: name });
  return { id: name, attributes: { ClusterName: name, Arn: clusterArn(deps.realm, name) } };
}

/** Only if it is this cluster's. */
async function forgetRole({ deps }: ResourceContext, { ClusterName, HostRoleId }: Properties): Promise<void> {
  if (HostRoleId !== undefined) await forgetHostRole(deps, { roleId: HostRoleId, cluster: ClusterName });
}

async function removeCluster(context: ResourceContext, cluster: string): Promise<void> {
  try {
    await deleteCluster(context, { cluster });
  } catch (error) {
    if (!(error instanceof GantryError && error.code === 'ClusterNotFoundException')) throw error;
  }
}
