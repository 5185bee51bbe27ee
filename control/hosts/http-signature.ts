/**
 * Verifies the signature of a host's request (RFC 9421 in the profile of core/host-protocol.ts): the digest of the body, the time,
 * and the Ed25519 signature itself. Knows nothing of which host may do what.
 */
import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { GantryError } from '../../core/errors.ts';
import { signatureParameters } from '../../core/host-protocol.ts';
import { contentDigest, type ParsedSignature, parseSignature, signatureBase } from '../../core/host-signature.ts';

/** A request as it arrived; a WebSocket's upgrade request is a GET with an empty body. */
export interface SignedRequest {
  readonly method: string;
  /** The path on the wire, percent-encoded, without the query. */
  readonly path: string;
  header(name: string): string | undefined;
  readonly body: Uint8Array;
}

/** The signature that the request carries; nothing about it has been verified yet. */
export function signatureOf(request: SignedRequest): ParsedSignature {
  const input = request.header('signature-input');
  const value = request.header('signature');
  if (input === undefined || value === undefined) {
    throw new GantryError('MissingAuthenticationTokenException', 'The request of a host must be signed with its key.');
  }
  const signature = parseSignature(input, value);
  if (signature === undefined) {
    throw new GantryError('IncompleteSignatureException', 'The signature is not in the form that hosts use.', {
      hint: 'Use an agent of the same version as the control plane.',
    });
  }
  return signature;
}

/** Throws InvalidSignatureException unless the key (SPKI DER in base64) signed this request, now. */
export function verifySignature(
  request: SignedRequest,
  signature: ParsedSignature,
  publicKey: string,
  now: number,
): void {
  const skewSeconds = Math.abs(now / 1000 - signature.createdSeconds);
  if (skewSeconds > signatureParameters.maxSkewSeconds) {
    const skew = `${Math.round(skewSeconds)} s off this control plane's clock`;
    const message = `The signature is ${skew}; at most ${signatureParameters.maxSkewSeconds} s are allowed.`;
    throw new GantryError('InvalidSignatureException', message, { hint: 'Set the clock of the host.' });
  }
  const digest = contentDigest(createHash('sha256').update(request.body).digest('base64'));
  if (request.header('content-digest') !== digest) {
    throw new GantryError('InvalidSignatureException', 'The body is not the one that was signed.');
  }
  const base = signatureBase({ method: request.method, path: request.path, contentDigest: digest }, signature);
  const bytes = Buffer.from(signature.signature, 'base64');
  if (!verify(null, Buffer.from(base), ed25519Key(publicKey), bytes)) {
    throw new GantryError('InvalidSignatureException', "The signature is not of the host's key.");
  }
}

/** Making one takes as long as verifying with it; the longest known are dropped first. */
const keysByText = new Map<string, KeyObject>();
const mostKeys = 10_000;

function ed25519Key(publicKey: string): KeyObject {
  const made = keysByText.get(publicKey);
  if (made !== undefined) return made;
  const key = parsedKey(publicKey);
  const [oldest] = keysByText.keys();
  if (keysByText.size >= mostKeys && oldest !== undefined) keysByText.delete(oldest);
  keysByText.set(publicKey, key);
  return key;
}

function parsedKey(publicKey: string): KeyObject {
  let key: KeyObject | undefined;
  try {
    key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' });
  } catch (cause) {
    throw new GantryError('InvalidParameterException', 'publicKey is not a public key (SPKI DER in base64).', {
      field: 'publicKey',
      cause,
    });
  }
  // Another algorithm would be verified by other rules than the profile's.
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new GantryError('InvalidParameterException', 'publicKey is not an Ed25519 key.', { field: 'publicKey' });
  }
  return key;
}
