/** How a command reaches its control plane, and with whose credentials. Reads no file and no environment: both are handed in. */
import type { ClientOptions } from '../client/client.ts';
import { connectionByEnvironment } from '../client/environment.ts';
import type { Credentials } from '../client/signer.ts';
import { GantryError } from '../core/errors.ts';
import type { Context } from './contexts/book.ts';
import { chosen, type NamedControlPlane } from './contexts/choice.ts';
import type { ContextFile } from './contexts/disk.ts';

/** As the cloud on this machine is reached: by a key of its own. */
export interface LocalConnection extends ClientOptions {
  readonly credentials?: Credentials | undefined;
  /** Where what it trusts is, for other programs on this machine. */
  readonly certificateAuthorityFile?: string | undefined;
}

export interface Named extends NamedControlPlane {
  readonly region?: string;
}

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly contexts: Pick<ContextFile, 'read'>;
  readonly localConnection: (runDir: string | undefined) => LocalConnection | undefined;
  /** Whoever calls, as AWS' own tools find it: environment, profile, SSO, container, instance. */
  readonly awsCredentials: () => Promise<Credentials>;
}

/** Throws a GantryError that says how to name one. */
export function connectionOf(named: Named, surroundings: Surroundings): ClientOptions {
  const { env, contexts, localConnection } = surroundings;
  const choice = chosen(named, env, contexts.read);
  if (choice.kind === 'context') return connectionTo(choice.context, surroundings, named.region);
  const here = localConnection(env.GANTRY_RUN_DIR);
  // The cloud's own key wins on this machine: AWS_* in the environment are most often meant for AWS.
  if (here !== undefined && (choice.kind === 'local' || choice.endpoint === here.endpoint))
    return { ...here, region: named.region ?? here.region };
  if (choice.kind === 'endpoint') return connectionByEnvironment(choice.endpoint, named.region, surroundings);
  const what = choice.by === undefined ? 'No control plane is named and none is' : 'No cloud is';
  throw new GantryError('InvalidParameterException', `${what} up on this machine.`, {
    hint: 'Start one with `gantry up`, or name one with --endpoint, GANTRY_ENDPOINT or `gantry login`.',
  });
}

/** A context is taken whole: AWS_* in the environment are most often meant for something else. */
export function connectionTo(
  { endpoint, region, key, certificateAuthority }: Context,
  { awsCredentials }: Pick<Surroundings, 'awsCredentials'>,
  otherRegion?: string,
): ClientOptions {
  return {
    endpoint,
    region: otherRegion ?? region,
    signingService: key === undefined ? 'execute-api' : 'ecs',
    credentials: key ?? awsCredentials,
    certificateAuthority,
  };
}

/** With --auth none no key is checked, but AWS' clients do not start without one. */
const anyKey: Credentials = { accessKeyId: 'none', secretAccessKey: 'none' };

/** Variables that point an ECS client at the cloud on this machine. */
export const environmentOf = (here: LocalConnection): Record<string, string> =>
  environmentFor(here, here.credentials ?? anyKey);

/**
 * Variables that point an ECS client with this key at a control plane. Where IAM stands before the address that the command line uses,
 * ECS clients have another one, which only the outputs of the stack know: then AWS_ENDPOINT_URL_ECS is not among them.
 */
export const environmentFor = (
  {
    endpoint,
    region,
    signingService,
    certificateAuthorityFile,
  }: ClientOptions & Pick<LocalConnection, 'certificateAuthorityFile'>,
  { accessKeyId, secretAccessKey }: Credentials,
): Record<string, string> => ({
  ...(signingService !== 'execute-api' && { AWS_ENDPOINT_URL_ECS: endpoint }),
  AWS_REGION: region,
  AWS_ACCESS_KEY_ID: accessKeyId,
  AWS_SECRET_ACCESS_KEY: secretAccessKey,
  ...(certificateAuthorityFile !== undefined && {
    // The AWS CLI and SDKs for Python; those for JavaScript, and whatever else runs on Node.
    AWS_CA_BUNDLE: certificateAuthorityFile,
    NODE_EXTRA_CA_CERTS: certificateAuthorityFile,
  }),
});
