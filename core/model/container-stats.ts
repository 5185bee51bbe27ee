/**
 * What a container has used up to a moment, as its host reads it from the kernel: counters that only grow (rates are the difference of
 * two readings over the time between them), and what it holds now. The same meaning under control groups version 1 and 2.
 */
import { z } from 'zod';

const counter = z.number().nonnegative();

/** Counters of one interface as the container sees it: received is what came to it. */
const interfaceStatsSchema = z.object({
  rxBytes: counter,
  rxPackets: counter,
  rxErrors: counter,
  rxDropped: counter,
  txBytes: counter,
  txPackets: counter,
  txErrors: counter,
  txDropped: counter,
});
export type InterfaceStats = z.infer<typeof interfaceStatsSchema>;

export const containerStatsSchema = z.object({
  /** When it was read, in epoch milliseconds. */
  at: z.number(),
  cpu: z.object({
    usageNanos: counter,
    userNanos: counter,
    systemNanos: counter,
    /** Enforcement periods in which the container wanted to run; of those, the ones in which it used up its quota. */
    periods: counter,
    throttledPeriods: counter,
    throttledNanos: counter,
    /** Of the machine. */
    onlineCpus: z.number().int().positive(),
    /** What all processors of the machine have spent, idle time included: what Docker's clients divide by. */
    machineNanos: counter,
  }),
  memory: z.object({
    /** Files in the page cache included. */
    usageBytes: counter,
    /** The most it has ever been; absent where the kernel does not keep it (version 2 before Linux 5.19). */
    peakBytes: counter.optional(),
    /** The least of the container's own limit and those of the groups above it; absent where there is none. */
    limitBytes: counter.optional(),
    /** Without files that can be dropped at once: what counts when memory runs short. */
    workingSetBytes: counter,
    anonBytes: counter,
    /** Page cache, tmpfs and shared memory. */
    fileBytes: counter,
    /** How often the kernel ended one of its processes for want of memory. */
    oomKills: counter,
  }),
  pids: z.object({
    /** Processes and threads. */
    current: counter,
    /** As for memory. */
    limit: counter.optional(),
  }),
  /** By interface, without loopback. Absent where the container has no network of its own (network mode host or none). */
  network: z.record(z.string(), interfaceStatsSchema).optional(),
  /**
   * Of block devices. Absent where the kernel does not account it, as many with version 1 do not; others with version 1 count writes only
   * where they bypass the page cache.
   */
  blockIo: z
    .object({ readBytes: counter, readOperations: counter, writtenBytes: counter, writeOperations: counter })
    .optional(),
});
export type ContainerStats = z.infer<typeof containerStatsSchema>;

/** Of one of a host's containers, as the host tells of it when it is asked. Nothing of it is stored. */
export const hostContainerStatsSchema = z.object({
  taskId: z.string(),
  container: z.string(),
  stats: containerStatsSchema,
});
export type HostContainerStats = z.infer<typeof hostContainerStatsSchema>;
