/** An image as a host tells of it when it is asked. Nothing of it is stored. */
import { z } from 'zod';

/** One that is there whole: a container can be made from it without a download. */
export const hostImageSchema = z.object({
  /** Those under which it was pulled, completed: `docker.io/library/busybox:latest`. */
  names: z.array(z.string()),
  /** Of its manifest for this host: what containers made from it report as `imageDigest`. */
  digest: z.string(),
  /** Of its config and layers as they were downloaded. */
  sizeBytes: z.number(),
  /** Epoch milliseconds, to the hour: when a task has used it last. Absent where none has. */
  lastUsedAt: z.number().optional(),
  /** Tasks with a container made from it. */
  taskIds: z.array(z.string()),
});
export type HostImage = z.infer<typeof hostImageSchema>;
