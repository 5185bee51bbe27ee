/** Which control plane a command talks to, and with whose credentials. Reads no file and no environment: both are handed in. */
import type { ClientOptions } from '../client/client.ts';
import { type Credentials, gatewayRegion, type SigningService } from '../client/signer.ts';
import { GantryError } from '../core/errors.ts';

/** As the cloud on this machine is reached: by a key of its own. */
export interface LocalConnection extends ClientOptions {
  readonly credentials?: Credentials | undefined;
}

export interface Named {
  readonly endpoint?: string;
  readonly region?: string;
}

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly localConnection: (runDir: string | undefined) => LocalConnection | undefined;
  /** Whoever calls, as AWS' own tools find it: environment, profile, SSO, container, instance. */
  readonly awsCredentials: () => Promise<Credentials>;
}

/** Throws a GantryError that says how to name one. */
export function connectionOf(named: Named, { env, localConnection, awsCredentials }: Surroundings): ClientOptions {
  const endpoint = named.endpoint ?? env.GANTRY_ENDPOINT ?? env.AWS_ENDPOINT_URL_ECS;
  const here = localConnection(env.GANTRY_RUN_DIR);
  if (endpoint === undefined && here === undefined)
    throw new GantryError('InvalidParameterException', 'No control plane is named and none is up on this machine.', {
      hint: 'Start one with `gantry up`, or name one with --endpoint or GANTRY_ENDPOINT.',
    });
  // The cloud's own key wins on this machine: AWS_* in the environment are most often meant for AWS.
  if (here !== undefined && (endpoint === undefined || endpoint === here.endpoint))
    return { ...here, region: named.region ?? here.region };
  const url = parsed(endpoint ?? '');
  const atGateway = gatewayRegion(url);
  const signingService = signingServiceOf(env) ?? (atGateway === undefined ? 'ecs' : 'execute-api');
  return {
    endpoint: url,
    region: named.region ?? atGateway ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? 'us-east-1',
    signingService,
    credentials: signingService === 'execute-api' ? awsCredentials : keyIn(env),
  };
}

function parsed(endpoint: string): string {
  if (URL.canParse(endpoint)) return endpoint;
  throw new GantryError('InvalidParameterException', `${endpoint} is no URL of a control plane.`, {
    hint: 'It begins with https:// or http://, for example http://127.0.0.1:8080.',
  });
}

function signingServiceOf({ GANTRY_SIGNING_SERVICE: service }: Surroundings['env']): SigningService | undefined {
  if (service === undefined || service === 'ecs' || service === 'execute-api') return service;
  throw new GantryError('InvalidParameterException', `GANTRY_SIGNING_SERVICE may not be '${service}'.`, {
    hint: 'ecs: with a key of Gantry; execute-api: with AWS credentials, where IAM checks them before a custom domain.',
  });
}

/** A key of Gantry. */
function keyIn(env: Surroundings['env']): Credentials | undefined {
  if (env.AWS_ACCESS_KEY_ID === undefined || env.AWS_SECRET_ACCESS_KEY === undefined) return undefined;
  return {
    accessKeyId: env.AWS_ACCESS_KEY_ID,
    secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
    ...(env.AWS_SESSION_TOKEN !== undefined && { sessionToken: env.AWS_SESSION_TOKEN }),
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
  { endpoint, region, signingService }: ClientOptions,
  { accessKeyId, secretAccessKey }: Credentials,
): Record<string, string> => ({
  ...(signingService !== 'execute-api' && { AWS_ENDPOINT_URL_ECS: endpoint }),
  AWS_REGION: region,
  AWS_ACCESS_KEY_ID: accessKeyId,
  AWS_SECRET_ACCESS_KEY: secretAccessKey,
});
