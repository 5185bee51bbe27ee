/** How the environment says which control plane is meant and who asks: variables of Gantry's own, and those that AWS' tools have. */
import { GantryError } from '../core/errors.ts';
import type { ClientOptions } from './client.ts';
import { type Credentials, gatewayRegion, type SigningService } from './signer.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Of an endpoint that was named. `awsCredentials`: whoever calls, as AWS' own tools find it. Throws what names the wrong variable. */
export function connectionByEnvironment(
  endpoint: string,
  namedRegion: string | undefined,
  { env, awsCredentials }: { readonly env: Environment; readonly awsCredentials: () => Promise<Credentials> },
): ClientOptions {
  const url = parsed(endpoint);
  const signingService = signingServiceOf(env) ?? (gatewayRegion(url) === undefined ? 'ecs' : 'execute-api');
  return {
    endpoint: url,
    region: namedRegion ?? regionOf(url, env),
    signingService,
    credentials: signingService === 'execute-api' ? awsCredentials : keyIn(env),
  };
}

/** Where nobody names one. */
export const regionOf = (endpoint: string, env: Environment): string =>
  gatewayRegion(endpoint) ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? 'us-east-1';

function parsed(endpoint: string): string {
  if (URL.canParse(endpoint)) return endpoint;
  throw new GantryError('InvalidParameterException', `${endpoint} is no URL of a control plane.`, {
    hint: 'It begins with https:// or http://, for example http://127.0.0.1:8080.',
  });
}

function signingServiceOf({ GANTRY_SIGNING_SERVICE: service }: Environment): SigningService | undefined {
  if (service === undefined || service === 'ecs' || service === 'execute-api') return service;
  throw new GantryError('InvalidParameterException', `GANTRY_SIGNING_SERVICE may not be '${service}'.`, {
    hint: 'ecs: with a key of Gantry; execute-api: with AWS credentials, where IAM checks them before a custom domain.',
  });
}

/** A key of Gantry. */
function keyIn(env: Environment): Credentials | undefined {
  if (env.AWS_ACCESS_KEY_ID === undefined || env.AWS_SECRET_ACCESS_KEY === undefined) return undefined;
  return {
    accessKeyId: env.AWS_ACCESS_KEY_ID,
    secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
    ...(env.AWS_SESSION_TOKEN !== undefined && { sessionToken: env.AWS_SESSION_TOKEN }),
  };
}
