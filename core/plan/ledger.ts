/**
 * What an agent remembers of a task across its own restarts: what it was asked for, and the facts it learned, each set once. The
 * observation that it reports is derived from these facts (observation.ts). Entries are parsed when they are read from disk.
 *
 * An entry must be durable before: a container is started (its `runtimeId`: a container that was created in an earlier boot of the
 * host is never started again), a container is removed (its `end`), a report is sent (its `sequence`).
 */
import { z } from 'zod';
import { desiredSchema, logLineSchema, networkBindingSchema, stopCodeSchema } from '../model/task.ts';
import { taskSpecSchema } from '../model/task-spec.ts';

export const ledgerSchemaVersion = 1;

const ledgerContainerSchema = z.object({
  name: z.string(),
  /** Set once its image is on the host. */
  imageDigest: z.string().optional(),
  /** Set once it was created. */
  runtimeId: z.string().optional(),
  createdAt: z.number().optional(),
  networkBindings: z.array(networkBindingSchema),
  startedAt: z.number().optional(),
  stopSignalledAt: z.number().optional(),
  killSignalledAt: z.number().optional(),
  /** Set once its process is gone; without an exit code where nobody saw it end. */
  end: z.object({ at: z.number(), exitCode: z.number().int().optional(), oomKilled: z.boolean() }).optional(),
  /** `<ErrorName>: <text>`: why it could not be started, or went without an exit code. */
  failure: z.string().optional(),
  /** Container and snapshot are gone; `lastLogLines` were read. */
  removed: z.boolean(),
  lastLogLines: z.array(logLineSchema).optional(),
});
export type LedgerContainer = z.infer<typeof ledgerContainerSchema>;

export const ledgerTaskSchema = z.object({
  schemaVersion: z.literal(ledgerSchemaVersion),
  taskId: z.string(),
  spec: taskSpecSchema,
  desired: desiredSchema,
  acceptedAt: z.number(),
  /** The boot of the host (/proc/sys/kernel/random/boot_id) in which its cgroup and network were made; absent until they are. */
  bootId: z.string().optional(),
  pullStartedAt: z.number().optional(),
  pullStoppedAt: z.number().optional(),
  /** Every container has reached its steady state. */
  startedAt: z.number().optional(),
  /** Decided to stop, and never taken back. Code and reason only where the agent is who knows why. */
  stop: z.object({ at: z.number(), stopCode: stopCodeSchema.optional(), reason: z.string().optional() }).optional(),
  /**
   * Failed tries of the present step; no next one before `notBefore`. With `waiting` while it is not the step's fault: such tries are not
   * counted.
   */
  retry: z
    .object({
      attempts: z.number().int(),
      notBefore: z.number(),
      waiting: z.object({ since: z.number(), reason: z.string() }).optional(),
    })
    .optional(),
  /** In the order of the spec. */
  containers: z.array(ledgerContainerSchema),
  /** Nothing is left of it on the host but its log. */
  removedAt: z.number().optional(),
  /** Grows whenever the derived observation changes. */
  sequence: z.number().int(),
  /** The greatest sequence that the control plane has accepted; 0 where none. */
  acknowledgedSequence: z.number().int(),
});
export type LedgerTask = z.infer<typeof ledgerTaskSchema>;
