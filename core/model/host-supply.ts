/**
 * Where and from what the hosts of a cluster are launched on EC2, as its GantryCluster registers it. What is launched, and when, is not
 * said here: that is a capacity provider's (capacity.ts).
 */
import { z } from 'zod';

const launchTemplateSchema = z.object({
  /** `lt-…`. */
  id: z.string().regex(/^lt-[0-9a-f]+$/, 'must be the id of a launch template (lt-…)'),
  /** A number: what a purchase asks for must stay the same when it asks again. */
  version: z.string().regex(/^[1-9]\d*$/, 'must be the number of a version'),
});

export const hostSupplySchema = z.object({
  cluster: z.string(),
  /** By architecture; of one that is missing no host can be launched. */
  launchTemplates: z.partialRecord(z.enum(['x86_64', 'arm64']), launchTemplateSchema),
  /** By availability zone, the subnet (`subnet-…`) that hosts are launched into there. */
  subnets: z.record(z.string(), z.string().regex(/^subnet-[0-9a-f]+$/, 'must be the id of a subnet (subnet-…)')),
  /** What a host's agent keeps of its memory for the system; absent: as the agent has it by itself. */
  reservedMemoryMib: z.number().int().nonnegative().optional(),
});
export type HostSupply = z.infer<typeof hostSupplySchema>;
