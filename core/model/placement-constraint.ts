/** What binds tasks to hosts, as a caller has named it and it has been checked (normalise-constraints.ts). */
import { z } from 'zod';

export const memberOfSchema = z.object({
  type: z.literal('memberOf'),
  /** Of the cluster query language (core/query). */
  expression: z.string(),
});
export type MemberOf = z.infer<typeof memberOfSchema>;

export const placementConstraintSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('distinctInstance') }),
  memberOfSchema,
]);
export type PlacementConstraint = z.infer<typeof placementConstraintSchema>;
