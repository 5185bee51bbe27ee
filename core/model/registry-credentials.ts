/**
 * Credentials of private registries, as a cluster keeps them, and which of them an image is pulled with. docs/adr/0011. Knows no
 * password in clear: what is stored is sealed, or lies in a store that seals nothing.
 */
import { z } from 'zod';

export const registryCredentialsSchema = z.object({
  cluster: z.string(),
  /** What containers name them by. Equal to the registry's name: they are for all its images. */
  name: z.string(),
  /** As it stands in images' references, completed: `docker.io`, `registry.example.com:5000`. */
  registry: z.string(),
  username: z.string(),
  /** One of the two: as it is, or sealed. */
  password: z.string().optional(),
  sealedPassword: z.string().optional(),
  createdAt: z.number(),
  updatedAt: z.number(),
});
export type RegistryCredentials = z.infer<typeof registryCredentialsSchema>;

export const mostRegistryCredentials = 50;
/** Characters. DynamoDB takes no sort key over 1,024 bytes; the ARN of a secret has at most some 600. */
export const registryCredentialLimits = { name: [1, 1000], username: [1, 255], password: [1, 8192] } as const;

/** `host[:port]`, a host name or an address. */
const registryPattern = /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d{1,5})?$|^\[[0-9a-fA-F:]+\](:\d{1,5})?$/;

/** Docker Hub goes by several names. */
const hubNames: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);

/** A registry's name as images' references complete it; undefined where it cannot be one. */
export function completeRegistry(text: string): string | undefined {
  if (!registryPattern.test(text)) return undefined;
  return hubNames.has(text) ? 'docker.io' : text;
}

/** An image's name as people write it, in its registry (Docker Hub where it names none) and what is behind that. */
export function splitRegistry(image: string): { readonly registry: string; readonly rest: string } {
  const slash = image.indexOf('/');
  const first = image.slice(0, Math.max(slash, 0));
  const isRegistry = first === 'localhost' || /[.:A-Z]/.test(first);
  if (!isRegistry) return { registry: 'docker.io', rest: image };
  return { registry: completeRegistry(first) ?? first, rest: image.slice(slash + 1) };
}

/** What the image is pulled with: what its container names, or what is there for its whole registry. */
export function credentialsNameOf(
  { image, credentialsParameter }: { readonly image: string; readonly credentialsParameter?: string | undefined },
  known: readonly Pick<RegistryCredentials, 'name'>[],
): string | undefined {
  if (credentialsParameter !== undefined) return credentialsParameter;
  const { registry } = splitRegistry(image);
  return known.some(({ name }) => name === registry) ? registry : undefined;
}
