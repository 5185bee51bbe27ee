/**
 * ECS' `configuration` of a cluster, as far as it says what Gantry does anyway: it keeps no record of sessions in containers, and its
 * tasks' storage is that of their hosts. Whatever would have to change something is refused by its name.
 */
import { z } from 'zod';
import { compact } from '../compact.ts';
import { type ClusterConfiguration, clusterConfigurationSchema } from './cluster.ts';
import { clientFault, parameterFault } from './faults.ts';

const otherMember = z.unknown().optional();

export const configurationInputSchema = z.object({
  executeCommandConfiguration: z
    .object({ logging: z.string().optional(), kmsKeyId: otherMember, logConfiguration: otherMember })
    .optional(),
  managedStorageConfiguration: z
    .object({ kmsKeyId: otherMember, fargateEphemeralStorageKmsKeyId: otherMember })
    .optional(),
});

/** What is not given stays. Throws on what would have to change something. */
export function mergeConfiguration(
  before: ClusterConfiguration | undefined,
  given: z.infer<typeof configurationInputSchema> | undefined,
): ClusterConfiguration | undefined {
  const { executeCommandConfiguration: execute, managedStorageConfiguration: storage = {} } = given ?? {};
  const path = 'configuration.executeCommandConfiguration';
  refuseOthers('configuration.managedStorageConfiguration', storage);
  if (execute === undefined) return before;
  const { logging, ...others } = execute;
  refuseOthers(path, others);
  const read = clusterConfigurationSchema.safeParse({ executeCommandConfiguration: compact({ logging }) });
  if (read.success) return read.data;
  throw parameterFault(
    `${path}.logging`,
    `${path}.logging must be NONE or DEFAULT; it is "${logging ?? ''}".`,
    'Gantry does not log sessions anywhere.',
  );
}

function refuseOthers(path: string, members: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(members))
    if (value !== undefined)
      throw clientFault(`${path}.${name}`, `${path}.${name} is not supported.`, `Leave ${name} out.`);
}
