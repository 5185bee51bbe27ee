/**
 * How a command line on this machine reaches the cloud: endpoint, region and the first access key. Written by `gantry up`, readable
 * by root alone, because the secret is in it.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { compact } from '../core/compact.ts';
import type { CloudOptions, CloudPaths } from './options.ts';
import { serverUrl } from './server.ts';

/** What the server writes when it has made the first access key. */
const storedCredentialsSchema = z.object({ accessKeyId: z.string(), secretAccessKey: z.string() });

const cloudContextSchema = z.object({
  endpoint: z.url(),
  region: z.string(),
  /** Absent with `--auth none`. */
  credentials: storedCredentialsSchema.optional(),
  /** The authority that its certificate is from, as a file. Absent without TLS. */
  certificateAuthorityFile: z.string().optional(),
});
/** Without `undefined` as a value: absent is absent. */
export interface CloudContext {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials?: z.infer<typeof storedCredentialsSchema>;
  readonly certificateAuthorityFile?: string;
  /** What is in that file. */
  readonly certificateAuthority?: string;
}

export function writeContext(options: CloudOptions, paths: CloudPaths): CloudContext {
  const context = {
    endpoint: serverUrl(options),
    region: options.region,
    ...(options.auth === 'sigv4' && { credentials: parseCredentials(paths.credentials) }),
    ...(options.tls && { certificateAuthorityFile: paths.tls.authority }),
  };
  writeFileSync(paths.context, JSON.stringify(context, null, 2), { mode: 0o600 });
  return withAuthority(context);
}

function withAuthority({ certificateAuthorityFile: file, ...context }: CloudContext): CloudContext {
  return file === undefined
    ? context
    : { ...context, certificateAuthorityFile: file, certificateAuthority: readFileSync(file, 'utf8') };
}

/** The first access key, if there is one yet. */
export const readStoredCredentials = (path: string): z.infer<typeof storedCredentialsSchema> | undefined =>
  existsSync(path) ? parseCredentials(path) : undefined;

const parseCredentials = (path: string): z.infer<typeof storedCredentialsSchema> =>
  storedCredentialsSchema.parse(JSON.parse(readFileSync(path, 'utf8')));

/** The context of a cloud on this machine, or undefined when there is none that the caller may read. */
export function readContext(paths: Pick<CloudPaths, 'context'>): CloudContext | undefined {
  try {
    return withAuthority(compact(cloudContextSchema.parse(JSON.parse(readFileSync(paths.context, 'utf8')))));
  } catch {
    return undefined; // No cloud here, or not ours to read: the caller says how to name one.
  }
}
