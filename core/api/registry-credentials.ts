/** Inputs and outputs of the operations on credentials of private registries. ECS has none: there each container names a secret. */
import { z } from 'zod';
import { defineOperation } from './operation.ts';
import { timestampSchema } from './shapes.ts';

const registryCredentialsViewSchema = z
  .object({
    name: z.string(),
    registry: z.string(),
    username: z.string(),
    /** `ALL_IMAGES` of the registry, or only `NAMED`: those of containers that name these credentials. */
    use: z.enum(['ALL_IMAGES', 'NAMED']),
    createdAt: timestampSchema,
    updatedAt: timestampSchema,
  })
  .meta({ id: 'RegistryCredentials' });
export type RegistryCredentialsView = z.infer<typeof registryCredentialsViewSchema>;

const path = '/v1/clusters/{cluster}/registry-credentials';

export const registryCredentialOperations = {
  PutRegistryCredentials: defineOperation({
    name: 'PutRegistryCredentials',
    summary: 'Keeps the credentials that hosts of the cluster pull images of a private registry with, or replaces them',
    action: 'administer',
    input: z.object({
      cluster: z.string().optional(),
      /** `host[:port]` as it stands in images' names; `docker.io` for those without. */
      registry: z.string(),
      /** What containers name them by in `repositoryCredentials.credentialsParameter`; default: the registry, for all its images. */
      name: z.string().optional(),
      username: z.string(),
      /** Sealed before it is stored, and never answered. */
      password: z.string(),
    }),
    output: z.object({ registryCredentials: registryCredentialsViewSchema }),
    errors: ['ClusterNotFoundException', 'LimitExceededException'],
    rest: { method: 'PUT', path, status: 200 },
    wire: false,
  }),
  ListRegistryCredentials: defineOperation({
    name: 'ListRegistryCredentials',
    summary: 'Lists the credentials of private registries that the cluster has, without their passwords',
    action: 'administer',
    input: z.object({ cluster: z.string().optional() }),
    output: z.object({ registryCredentials: z.array(registryCredentialsViewSchema) }),
    errors: ['ClusterNotFoundException'],
    rest: { method: 'GET', path, status: 200 },
    wire: false,
  }),
  DeleteRegistryCredentials: defineOperation({
    name: 'DeleteRegistryCredentials',
    summary: 'Forgets credentials of a private registry; images that are on hosts already stay there',
    action: 'administer',
    input: z.object({ cluster: z.string().optional(), name: z.string() }),
    output: z.object({}),
    errors: ['ClusterNotFoundException', 'ResourceNotFoundException'],
    rest: { method: 'DELETE', path, status: 200 },
    wire: false,
  }),
} as const;
