/**
 * `Custom::GantryCluster`: a cluster, the role whose instances may become its hosts, and what hosts are launched from that are bought for
 * it. Its physical id is the cluster's name.
 */
import { z } from 'zod';
import { attempt } from '../../control/attempts.ts';
import type { ControlDeps } from '../../control/deps.ts';
import { forgetHostRole, registerHostRole } from '../../control/hosts/instances.ts';
import { updateClusterSettings } from '../../control/operations/cluster-capacity.ts';
import { createCluster, deleteCluster } from '../../control/operations/clusters.ts';
import { putHostSupply, removeHostSupply } from '../../control/store/host-supplies.ts';
import type { Change } from '../../control/store/table.ts';
import { clusterArn } from '../../core/arn.ts';
import { compact } from '../../core/compact.ts';
import { GantryError } from '../../core/errors.ts';
import { type HostSupply, hostSupplySchema } from '../../core/model/host-supply.ts';
import type { Made, ResourceContext, ResourceKind } from './kind.ts';

const propertiesSchema = z.object({
  ClusterName: z.string(),
  /** Unique id of the role (`AROA…`). */
  HostRoleId: z.string().min(1).optional(),
  /** By architecture. */
  LaunchTemplates: z.record(z.string(), z.object({ Id: z.string(), Version: z.string() })).optional(),
  /** Of two in a zone the first counts. */
  Subnets: z.array(z.object({ Zone: z.string(), Id: z.string() })).optional(),
  /** CloudFormation makes text of numbers. */
  ReservedMemoryMib: z.coerce.number().optional(),
  /** Whether tasks that name a launch type wait too where nothing fits now. */
  WaitForCapacity: z.stringbool().optional(),
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
    if (!isReplaced && former.WaitForCapacity !== undefined && properties.WaitForCapacity === undefined)
      await setWaiting(context, properties, false);
    return made;
  },
  async delete(context, properties, id) {
    // One that was never made has another id; a cluster of this name is then somebody else's.
    if (id === properties.ClusterName) {
      await removeCluster(context, id);
      await write(context.deps, id, removeHostSupply(id));
    }
    // Last: a cluster whose deletion is refused goes on with its hosts.
    await forgetRole(context, properties);
  },
};

async function make(context: ResourceContext, properties: Properties): Promise<Made> {
  const { ClusterName: name, HostRoleId: roleId } = properties;
  const { deps } = context;
  const supply = supplyOf(properties);
  // First: where the role is another cluster's, no cluster is left behind.
  if (roleId !== undefined) await registerHostRole(deps, { roleId, cluster: name });
  await createCluster(context, { clusterName: name });
  if (properties.WaitForCapacity !== undefined) await setWaiting(context, properties, properties.WaitForCapacity);
  await write(deps, name, supply === undefined ? removeHostSupply(name) : putHostSupply(supply));
  return { id: name, attributes: { ClusterName: name, Arn: clusterArn(deps.realm, name) } };
}

async function setWaiting(context: ResourceContext, { ClusterName }: Properties, waits: boolean): Promise<void> {
  const settings = [{ name: 'gantry:waitForCapacity', value: waits ? 'enabled' : 'disabled' }];
  await updateClusterSettings(context, { cluster: ClusterName, settings });
}

/** Undefined where no host can be bought for the cluster. Throws naming the property. */
function supplyOf({
  ClusterName: cluster,
  LaunchTemplates,
  Subnets = [],
  ReservedMemoryMib: reservedMemoryMib,
}: Properties): HostSupply | undefined {
  if (LaunchTemplates === undefined) return undefined;
  const launchTemplates = Object.fromEntries(
    Object.entries(LaunchTemplates).map(([architecture, { Id: id, Version: version }]) => [
      architecture,
      { id, version },
    ]),
  );
  const subnets = Object.fromEntries(Subnets.toReversed().map(({ Zone, Id }) => [Zone, Id]));
  const parsed = hostSupplySchema.safeParse(compact({ cluster, launchTemplates, subnets, reservedMemoryMib }));
  if (parsed.success) return parsed.data;
  throw new GantryError('InvalidParameterException', z.prettifyError(parsed.error));
}

/** The last one that is given counts. */
async function write(deps: ControlDeps, cluster: string, change: Change): Promise<void> {
  await attempt(deps, { most: 10, what: `the host supply of ${cluster}` }, async () => {
    const { outcome } = await deps.table.commit([change]);
    return outcome === 'done' ? outcome : undefined;
  });
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
