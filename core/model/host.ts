/**
 * A host (ECS: container instance) as the control plane knows it. Its facts are split by writer: identity (written when it is
 * admitted and when its agent starts), capacity (written by placement and release), lease (the heartbeat). DESIGN.md "State".
 */
import { z } from 'zod';
import { tagSchema } from './cluster.ts';
import { hostPortSchema } from './resources.ts';
import { stopCodeSchema } from './task.ts';

const hostStatusSchema = z.enum(['ACTIVE', 'DRAINING', 'INACTIVE']);

/** As clients see it: REGISTERING until the host has reported for the first time, and so may be given tasks. */
export const shownHostStatusSchema = z.enum(['REGISTERING', ...hostStatusSchema.options]);
export type ShownHostStatus = z.infer<typeof shownHostStatusSchema>;

/** A host's name: what host names are made of, and underscores. */
export const hostNamePattern = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,254}$/;

export const hostAttributesSchema = z.record(z.string(), z.string());

/** Who a host is: read for authentication and by Describe; never touched by placement. */
export const hostIdentitySchema = z.object({
  hostId: z.string(),
  cluster: z.string(),
  /** What people call it, unique in its cluster while it is not INACTIVE, for example `host-1`. */
  name: z.string(),
  /** Ed25519 public key, SPKI DER in base64. */
  publicKey: z.string(),
  /** The address at which published ports are reached. */
  address: z.string(),
  agentVersion: z.string(),
  registeredAt: z.number(),
  /** The EC2 instance that it is, where its role admitted it. */
  instanceId: z.string().optional(),
  tags: z.array(tagSchema).optional(),
  /** It is no host any more: nothing is desired of it, and its key is not admitted again. */
  retired: z
    .object({
      at: z.number(),
      reason: z.string(),
      stopCode: stopCodeSchema,
      /** False: its tasks get no successors. */
      replaces: z.boolean().optional(),
    })
    .optional(),
  version: z.number().int(),
});
export type HostIdentity = z.infer<typeof hostIdentitySchema>;

/** What a host has and what is left of it: the item that a placement's transaction updates on the condition that it still fits. */
export const hostCapacitySchema = z.object({
  hostId: z.string(),
  cluster: z.string(),
  name: z.string(),
  status: hostStatusSchema,
  /** Changes when a verdict was given over the host; placeable only while `reportedEpoch` equals it. */
  epoch: z.number().int(),
  reportedEpoch: z.number().int(),
  /** False once the lease has been silent for three heartbeats; true again at the next fetch. Nothing is placed while false. */
  connected: z.boolean(),
  connectedChangedAt: z.number(),
  /** Grows with every change of the host's desired set that its agent does not make itself; the ETag of a fetch, never a cursor. */
  generation: z.number().int(),
  /** How often something was given back. Its agent knows of each, because it was told so in answer to its own report. */
  releases: z.number().int().optional(),
  /** Whether the last change was one after which a waiting task may fit: what the change stream is filtered by. */
  hasGrown: z.boolean().optional(),
  totalCpuUnits: z.number().int(),
  totalMemoryMib: z.number().int(),
  freeCpuUnits: z.number().int(),
  freeMemoryMib: z.number().int(),
  /** Static host ports in use: port to task id, or to `reserved` for the host's own. */
  ports: z.partialRecord(hostPortSchema, z.string()),
  /** Tasks on the host by task group, for distinctInstance and spreading. */
  groups: z.record(z.string(), z.number().int()),
  taskCount: z.number().int(),
  /** What its agent reports, and what it was given by API. */
  attributes: hostAttributesSchema,
  /** Names of those that it was given by API. */
  putAttributes: z.array(z.string()).optional(),
  /** Grows with each change of the attributes; absent while they are as it registered. */
  attributesVersion: z.number().int().optional(),
  /** For expressions, as its identity has them; absent of a host that was admitted before, until its agent starts again. */
  agentVersion: z.string().optional(),
  registeredAt: z.number().optional(),
  instanceId: z.string().optional(),
  /**
   * Its agent does not know this store, so it waits for somebody to decide: how many tasks it has, how many of them the store does not
   * know, and how many the store has of it that it has not.
   */
  unknownStore: z
    .object({
      since: z.number(),
      tasks: z.number().int(),
      unknown: z.number().int(),
      missing: z.number().int(),
      decision: z.enum(['adopt', 'discard']).optional(),
    })
    .optional(),
});
export type HostCapacity = z.infer<typeof hostCapacitySchema> & {
  /** Only of a host that is yet to be: it will be in one of these zones, nobody knows in which. Never stored. */
  readonly zones?: readonly string[];
};

export const shownHostStatus = ({ status, reportedEpoch }: HostCapacity): ShownHostStatus =>
  status === 'ACTIVE' && reportedEpoch === 0 ? 'REGISTERING' : status;

/** At most 100 bytes, so that a heartbeat is one write unit. */
export const hostLeaseSchema = z.object({ at: z.number() });
export type HostLease = z.infer<typeof hostLeaseSchema>;
