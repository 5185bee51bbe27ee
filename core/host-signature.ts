/**
 * The text of HTTP Message Signatures (RFC 9421) in the one profile that hosts use (`signatureParameters` in host-protocol.ts), for
 * both sides: the agent builds and signs it, the control plane takes it apart and verifies it. Text only: hashing, signing, the key
 * and the clock belong to the callers.
 */
import { signatureParameters } from './host-protocol.ts';

/** What a signature covers. */
export interface CoveredRequest {
  /** Upper case, for example `POST`; `GET` for a WebSocket's upgrade request. */
  readonly method: string;
  /** The absolute path of the request's target, percent-encoded as on the wire, without the query. */
  readonly path: string;
  /** The whole value of the Content-Digest header, see `contentDigest`. */
  readonly contentDigest: string;
}

export interface SignatureInput {
  /** Epoch seconds. */
  readonly createdSeconds: number;
  /** The host's id; for `register`, the public key (SPKI DER in base64). */
  readonly keyId: string;
}

export interface ParsedSignature extends SignatureInput {
  /** Ed25519 signature in base64. */
  readonly signature: string;
}

export interface SignatureHeaders {
  readonly 'content-digest': string;
  readonly 'signature-input': string;
  readonly signature: string;
}

/** The value of Content-Digest (RFC 9530) for a body whose SHA-256 is given in base64. */
export const contentDigest = (sha256Base64: string): string => `sha-256=:${sha256Base64}:`;

/** The bytes to sign, as text (ASCII): one line a covered component, then the parameters. */
export function signatureBase(request: CoveredRequest, input: SignatureInput): string {
  const values: Record<(typeof signatureParameters.components)[number], string> = {
    '@method': request.method,
    '@path': request.path,
    'content-digest': request.contentDigest,
  };
  const lines = signatureParameters.components.map((component) => `"${component}": ${values[component]}`);
  return [...lines, `"@signature-params": ${parametersText(input)}`].join('\n');
}

/** The headers of a signed request. `signature` is the Ed25519 signature of `signatureBase`, in base64. */
export const signatureHeaders = (
  request: CoveredRequest,
  input: SignatureInput,
  signature: string,
): SignatureHeaders => ({
  'content-digest': request.contentDigest,
  'signature-input': `${signatureParameters.label}=${parametersText(input)}`,
  signature: `${signatureParameters.label}=:${signature}:`,
});

const componentsText = signatureParameters.components.map((component) => `"${component}"`).join(' ');

const parametersText = ({ createdSeconds, keyId }: SignatureInput): string =>
  `(${componentsText});created=${createdSeconds};keyid="${keyId}";alg="${signatureParameters.algorithm}"`;

const inputPattern = new RegExp(
  `^${signatureParameters.label}=\\(${componentsText}\\);created=(\\d{1,12});keyid="([A-Za-z0-9+/=_.:-]{1,256})";alg="${signatureParameters.algorithm}"$`,
);
/** 64 bytes in base64. */
const signaturePattern = new RegExp(`^${signatureParameters.label}=:([A-Za-z0-9+/]{86}==):$`);

/** Takes the two headers apart; undefined where they are not exactly of the profile (other components, order, label, algorithm). */
export function parseSignature(signatureInput: string, signature: string): ParsedSignature | undefined {
  const input = inputPattern.exec(signatureInput);
  const value = signaturePattern.exec(signature)?.[1];
  const [, created, keyId] = input ?? [];
  if (created === undefined || keyId === undefined || value === undefined) return undefined;
  return { createdSeconds: Number(created), keyId, signature: value };
}
