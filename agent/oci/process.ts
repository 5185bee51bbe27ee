/** What a container executes: the task definition's wishes over the image's defaults, by Docker's rules. */
import { resolve } from 'node:path';
import type { ContainerSpec } from '../../core/model/task-spec.ts';

/** The part of an image's config that says what runs; the names are the OCI image specification's. */
export interface ImageDefaults {
  readonly User?: string | undefined;
  readonly Env?: readonly string[] | undefined;
  readonly Entrypoint?: readonly string[] | undefined;
  readonly Cmd?: readonly string[] | undefined;
  readonly WorkingDir?: string | undefined;
  readonly StopSignal?: string | undefined;
}

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * The argument vector, empty where neither side names a program. A given entryPoint drops the image's Cmd, which was written for
 * the image's own; an entryPoint of one empty string takes the image's away.
 */
export function processArgs(container: ContainerSpec, image: ImageDefaults): readonly string[] {
  const { entryPoint = [], command = [] } = container;
  if (entryPoint.length > 0) {
    const isReset = entryPoint.length === 1 && entryPoint[0] === '';
    return isReset ? command : [...entryPoint, ...command];
  }
  return [...(image.Entrypoint ?? []), ...(command.length > 0 ? command : (image.Cmd ?? []))];
}

/** `NAME=value`, each name once: the task definition's value, else what its host tells it, else the image's, else the default. */
export function processEnvironment(
  container: ContainerSpec,
  image: ImageDefaults,
  { hostname, metadataUri }: { readonly hostname: string; readonly metadataUri?: string | undefined },
): string[] {
  const values = new Map([
    ['PATH', defaultPath],
    ['HOSTNAME', hostname],
  ]);
  for (const entry of image.Env ?? []) {
    const equals = entry.indexOf('=');
    // An entry without a value names a variable of whoever starts the container, which here is nobody.
    if (equals > 0) values.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  // As ECS' agent; by these clients of AWS and of observability tell where they are.
  values.set('AWS_EXECUTION_ENV', 'AWS_ECS_EC2');
  if (metadataUri !== undefined) values.set('ECS_CONTAINER_METADATA_URI_V4', metadataUri);
  for (const { name, value } of container.environment) values.set(name, value);
  return Array.from(values, ([name, value]) => `${name}=${value}`);
}

/** Absolute; a relative one is below the root. runc makes it where it is missing. */
export const workingDirectory = (container: ContainerSpec, image: ImageDefaults): string =>
  resolve('/', container.workingDirectory || image.WorkingDir || '');

/** As the task definition or the image writes it; empty means root. */
export const requestedUser = (container: ContainerSpec, image: ImageDefaults): string =>
  container.user || image.User || '';
