/**
 * The text of a join token: what admits a host, and behind a dot the pin by which it knows the control plane. One string, to be pasted.
 * Owns its form; making, storing and checking it belong to the control plane.
 */

const prefix = 'gantry-join-';
/** SHA-256 of a public key (SPKI DER), in base64url. */
const pinPattern = /^[A-Za-z0-9_-]{43}$/;
const tokenPattern = /^gantry-join-[0-9a-f]{16,128}(?:\.([A-Za-z0-9_-]{43}))?$/;

export const isPin = (text: string): boolean => pinPattern.test(text);

/** `secret` in hexadecimal digits. `pin`: of the authority that the control plane's certificate is from, where it made it itself. */
export const joinTokenText = (secret: string, pin?: string): string =>
  `${prefix}${secret}${pin === undefined ? '' : `.${pin}`}`;

/** Undefined where the text is no join token. */
export function parseJoinToken(text: string): { readonly pin: string | undefined } | undefined {
  const match = tokenPattern.exec(text);
  return match === null ? undefined : { pin: match[1] };
}

/** What alone admits: hosts that were given a token before and after it had a pin are the same. */
export const secretPart = (token: string): string => token.split('.', 1)[0] ?? '';
