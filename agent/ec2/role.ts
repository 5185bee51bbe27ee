/**
 * The credentials of the instance's role, and requests signed with them. Kept until they are near their end; where newer ones cannot be
 * had, the old ones are used on, as AWS' own tools do while instance metadata has an outage.
 */
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Clock } from '../clock.ts';
import { type InstanceMetadata, MetadataError } from './metadata.ts';

const path = 'iam/security-credentials/';
/** EC2 has new ones ready at least five minutes before the old ones end. */
const renewBeforeEndMs = 5 * 60_000;
/** How long old ones are used on before newer ones are asked for again. */
const askAgainAfterMs = 60_000;

const credentialsSchema = z
  .object({ AccessKeyId: z.string(), SecretAccessKey: z.string(), Token: z.string(), Expiration: z.iso.datetime() })
  .transform(({ AccessKeyId, SecretAccessKey, Token, Expiration }) => ({
    identity: { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: Token },
    renewAt: Date.parse(Expiration) - renewBeforeEndMs,
  }));
type RoleCredentials = z.output<typeof credentialsSchema>;

export interface RoleRequest {
  readonly method: 'POST';
  /** Where the request is meant for; its host is signed. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly service: string;
  readonly region: string;
}

export interface InstanceRole {
  /** All headers of the request, in lower case, signed. Throws MetadataError where the instance has no role, or none now. */
  sign(request: RoleRequest): Promise<Record<string, string>>;
  /** What people call it; undefined where it cannot be told. */
  name(): Promise<string | undefined>;
}

export function openRole(metadata: InstanceMetadata, { clock, log }: { clock: Clock; log: Logger }): InstanceRole {
  let kept: RoleCredentials | undefined;
  let asking: Promise<RoleCredentials> | undefined;

  const renew = async (): Promise<RoleCredentials> => {
    try {
      return await readCredentials(metadata);
    } catch (error) {
      if (kept === undefined) throw error;
      log.warn({ err: error }, 'instance metadata gives no newer credentials of the role; the old ones are used on');
      return { ...kept, renewAt: clock.now() + askAgainAfterMs };
    }
  };
  const current = async (): Promise<RoleCredentials> => {
    if (kept !== undefined && clock.now() < kept.renewAt) return kept;
    asking ??= renew().finally(() => {
      asking = undefined;
    });
    kept = await asking;
    return kept;
  };

  return {
    async sign({ method, url, headers, body, service, region }) {
      const { identity } = await current();
      const signer = new SignatureV4({ credentials: identity, region, service, sha256: Sha256, applyChecksum: false });
      const signed = await signer.sign(
        {
          method,
          protocol: url.protocol,
          hostname: url.hostname,
          path: url.pathname,
          headers: { ...headers, host: url.host },
          body,
        },
        { signingDate: new Date(clock.now()) },
      );
      return Object.fromEntries(Object.entries(signed.headers).map(([name, value]) => [name.toLowerCase(), value]));
    },
    name: () => roleName(metadata).catch(() => undefined),
  };
}

const roleName = async (metadata: InstanceMetadata): Promise<string | undefined> =>
  (await metadata.read(path))?.split('\n')[0]?.trim();

async function readCredentials(metadata: InstanceMetadata): Promise<RoleCredentials> {
  const name = await roleName(metadata);
  if (name === undefined || name === '') throw new MetadataError('This instance has no role (no instance profile).');
  const text = (await metadata.read(`${path}${name}`)) ?? '';
  const parsed = credentialsSchema.safeParse(parsedJson(text));
  if (parsed.success) return parsed.data;
  throw new MetadataError(`Instance metadata has no credentials of the role ${name} now.`, { cause: parsed.error });
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // The schema says what is missing.
  }
}
