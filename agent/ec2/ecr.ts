/**
 * Credentials for Amazon ECR's private registries, by the instance's role: what `ecr:GetAuthorizationToken` answers, which holds for
 * every registry of a region that the role may pull from, kept until it is near its end.
 */
import { z } from 'zod';
import type { Clock } from '../clock.ts';
import { CredentialsError, type RegistryCredentials } from '../images/credentials.ts';
import { type EcrHost, parseEcrHost } from '../images/ecr-host.ts';
import type { Credentials } from '../images/registry.ts';
import { MetadataError } from './metadata.ts';
import type { InstanceRole } from './role.ts';

const target = 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken';
const timeoutMs = 10_000;
/** They are good for twelve hours; a pull that begins with them should end with them. */
const renewBeforeEndMs = 30 * 60_000;

const answerSchema = z.object({
  authorizationData: z.array(z.object({ authorizationToken: z.string(), expiresAt: z.number() })).min(1),
});
const errorSchema = z.object({ __type: z.string().optional(), message: z.string().optional() });

interface Token {
  readonly credentials: Credentials;
  readonly endsAt: number;
}

export interface EcrOptions {
  /** In place of the region's own, as AWS_ENDPOINT_URL_ECR has it. */
  readonly endpoint?: string | undefined;
  readonly clock: Clock;
}

/** Undefined for other registries. Throws CredentialsError. */
export function ecrCredentials(role: InstanceRole, { endpoint, clock }: EcrOptions): RegistryCredentials {
  const tokens = new Map<string, Token>();
  const asking = new Map<string, Promise<Token>>();

  const ask = (host: EcrHost): Promise<Token> => {
    const asked =
      asking.get(host.apiHost) ??
      askForToken(role, host, endpoint ?? `https://${host.apiHost}`).finally(() => asking.delete(host.apiHost));
    asking.set(host.apiHost, asked);
    return asked;
  };

  return async (registry) => {
    const host = parseEcrHost(registry);
    if (host === undefined) return undefined;
    const known = tokens.get(host.apiHost);
    if (known !== undefined && clock.now() < known.endsAt - renewBeforeEndMs) return known.credentials;
    try {
      const token = await ask(host);
      tokens.set(host.apiHost, token);
      return token.credentials;
    } catch (error) {
      if (known !== undefined && clock.now() < known.endsAt) return known.credentials; // Good for a little longer.
      throw error;
    }
  };
}

async function askForToken(role: InstanceRole, { region }: EcrHost, endpoint: string): Promise<Token> {
  const url = new URL('/', endpoint);
  const body = '{}';
  const headers = await signed(role, { url, region, body });
  const response = await fetch(url, {
    method: 'POST',
    headers,
    body,
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  }).catch((cause: unknown) => {
    throw new CredentialsError(`${url.host}, which gives credentials for it, does not answer (i/o timeout)`, {
      retryable: true,
      cause,
    });
  });
  const text = await response.text().catch(() => ''); // Then it is no answer, whatever its status.
  if (!response.ok) throw await refusal(role, response.status, text);
  const parsed = answerSchema.safeParse(parsedJson(text));
  const data = parsed.data?.authorizationData[0];
  const [username, password] = splitToken(data?.authorizationToken ?? '');
  if (data === undefined || password === undefined)
    throw new CredentialsError(`${url.host} answered something that is no authorization token`, { retryable: true });
  return { credentials: { username, password }, endsAt: data.expiresAt * 1000 };
}

async function signed(
  role: InstanceRole,
  { url, region, body }: { url: URL; region: string; body: string },
): Promise<Record<string, string>> {
  try {
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target };
    const { host: _, ...rest } = await role.sign({ method: 'POST', url, headers, body, service: 'ecr', region });
    return rest; // fetch sends the host itself.
  } catch (error) {
    if (!(error instanceof MetadataError)) throw error;
    const clause = `the host's role, which should give access to it, has no credentials: ${error.message}`;
    throw new CredentialsError(`${clause} Give the instance a role that may pull from Amazon ECR`, {
      retryable: true,
      cause: error,
    });
  }
}

async function refusal(role: InstanceRole, status: number, text: string): Promise<CredentialsError> {
  const { __type = '', message = '' } = errorSchema.safeParse(parsedJson(text)).data ?? {};
  const said = `${__type.split('#').at(-1)}: ${message}`.slice(0, 300);
  if (status === 429 || status >= 500 || __type.includes('Throttling'))
    return new CredentialsError(`ecr:GetAuthorizationToken was answered with HTTP status ${status} (${said})`, {
      retryable: true,
    });
  const name = await role.name();
  const who = name === undefined ? "the host's role" : `the host's role ${name}`;
  return new CredentialsError(
    `${who} may not call ecr:GetAuthorizationToken (it says: ${said}). ` +
      'Allow the role ecr:GetAuthorizationToken on "*", and ecr:BatchGetImage and ecr:GetDownloadUrlForLayer on the repository',
    { retryable: false },
  );
}

/** `user:password` in base64. */
function splitToken(token: string): [string, string?] {
  const text = Buffer.from(token, 'base64').toString();
  const colon = text.indexOf(':');
  return colon === -1 ? [text] : [text.slice(0, colon), text.slice(colon + 1)];
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // What is missing is said by whoever looks for it.
  }
}
