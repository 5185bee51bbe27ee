/**
 * Container records and their snapshots in containerd. The record comes before the snapshot, which it keeps from garbage collection,
 * and goes after it, so that whatever exists of a container is found by its record.
 */
import { create, toBinary } from '@bufbuild/protobuf';
import { prepareSnapshot, snapshotter } from '../images/snapshots.ts';
import { type RuntimeSpec, toJson } from '../oci/runtime-spec.ts';
import type { NamespacedContainerd } from './client.ts';
import { OptionsSchema } from './gen/runc-options_pb.ts';
import type { Mount } from './gen/types_pb.ts';
import { ignoreNotFound, isNotFound } from './grpc-error.ts';
import { anyTask, type ContainerIdentity, identityOf, labelsOf, ofTask } from './runtime-naming.ts';

/** They write to a database on disk; a busy disk may take long. */
const callTimeoutMs = 60_000;

export interface NewContainer {
  readonly id: string;
  readonly identity: ContainerIdentity;
  /** Name of the image's record in containerd. */
  readonly imageName: string;
  /** The snapshot of the image's layers. */
  readonly chainId: string;
  readonly spec: RuntimeSpec;
  /** runc's root: the default is shared by every containerd of the machine. */
  readonly runtimeRoot: string;
}

export interface FoundRecord {
  readonly id: string;
  readonly identity: ContainerIdentity;
}

/** Answers the mounts that make the container's root. Throws GrpcError ALREADY_EXISTS where the container has a record. */
export async function createRecord(containerd: NamespacedContainerd, container: NewContainer): Promise<Mount[]> {
  const { id, identity, imageName, chainId, spec, runtimeRoot } = container;
  const options = toBinary(OptionsSchema, create(OptionsSchema, { root: runtimeRoot }));
  await containerd.containers.create(
    {
      container: {
        id,
        labels: labelsOf(identity),
        image: imageName,
        runtime: { name: 'io.containerd.runc.v2', options: { typeUrl: OptionsSchema.typeName, value: options } },
        spec: { typeUrl: 'types.containerd.io/opencontainers/runtime-spec/1/Spec', value: toJson(spec) },
        snapshotter,
        snapshotKey: id,
      },
    },
    { timeoutMs: callTimeoutMs },
  );
  return await prepareSnapshot(containerd, { key: id, parent: chainId }, { timeoutMs: callTimeoutMs });
}

/** Fine where there is none. */
export async function removeRecord(containerd: NamespacedContainerd, id: string): Promise<void> {
  await ignoreNotFound(containerd.snapshots.remove({ snapshotter, key: id }, { timeoutMs: callTimeoutMs }));
  await ignoreNotFound(containerd.containers.delete({ id }, { timeoutMs: callTimeoutMs }));
}

export async function findRecord(containerd: NamespacedContainerd, id: string): Promise<FoundRecord | undefined> {
  try {
    const { container } = await containerd.containers.get({ id }, { timeoutMs: callTimeoutMs });
    const identity = container === undefined ? undefined : identityOf(container);
    return identity === undefined ? undefined : { id, identity };
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** All of ours, those of one task, or those of one of its containers: one each for every attempt to make it. */
export async function listRecords(
  containerd: NamespacedContainerd,
  taskId?: string,
  containerName?: string,
): Promise<FoundRecord[]> {
  const filters = taskId === undefined ? anyTask : ofTask(taskId);
  const { containers } = await containerd.containers.list({ filters }, { timeoutMs: callTimeoutMs });
  return containers.flatMap((container) => {
    const identity = identityOf(container);
    const isAsked = containerName === undefined || containerName === identity?.name;
    return identity === undefined || !isAsked ? [] : [{ id: container.id, identity }];
  });
}
