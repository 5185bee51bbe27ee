/** What an execution environment and its platform say to each other. */
import { z } from 'zod';

export const requestSchema = z.object({
  event: z.unknown(),
  context: z.record(z.string(), z.unknown()),
  /** Epoch milliseconds at which the platform ends it. */
  deadline: z.number(),
  traceId: z.string().optional(),
});
export type InvocationRequest = z.infer<typeof requestSchema>;

export const replySchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  /** JSON text. */
  z.object({ kind: z.literal('answer'), payload: z.string() }),
  z.object({ kind: z.literal('error'), errorType: z.string(), errorMessage: z.string() }),
]);
