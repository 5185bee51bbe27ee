/**
 * How an EC2 instance proves which role and instance it is: it signs an `sts:GetCallerIdentity` request with its role's credentials and
 * hands over the headers; the control plane sends that request to the STS of its own region. The request is the same for everybody but
 * for its date, credentials and the digest of the host's key, so a proof is worth nothing with another key or for another action.
 */
import { z } from 'zod';

export const instanceProof = {
  method: 'POST',
  path: '/',
  body: 'Action=GetCallerIdentity&Version=2011-06-15',
  contentType: 'application/x-www-form-urlencoded; charset=utf-8',
  service: 'sts',
  /** Carries the SHA-256 (lower-case hexadecimal) of the host's public key as `publicKey` has it, and must be signed. */
  keyHeader: 'x-gantry-host-key',
  /** Exactly these are signed, in this order; the credentials of an instance always have a token. */
  signedHeaders: ['content-type', 'host', 'x-amz-date', 'x-amz-security-token', 'x-gantry-host-key'],
  /** A date (`x-amz-date`) older or newer than this is refused. */
  maxSkewSeconds: 300,
} as const;

/** The value of the signed `host` header: STS in the region of the control plane, which is that of the host. */
export const stsHost = (region: string): string =>
  `sts.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;

/** Names in lower case: those of `signedHeaders`, and `authorization`. */
export const instanceProofSchema = z.object({ headers: z.record(z.string(), z.string()) });
export type InstanceProof = z.infer<typeof instanceProofSchema>;
