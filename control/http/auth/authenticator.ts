/** How a request's principal is found: by SigV4, or, on loopback only, by taking everybody for the administrator. */
import { everyRight } from '../../../core/model/rights.ts';
import type { Principal } from '../../operations/context.ts';
import { type AccessKeyFinder, type SignedRequest, verifySigV4 } from './sigv4.ts';

export interface Authenticator {
  /** `platform`: what whoever runs the app knows of the request. Throws a GantryError with AWS' code when nobody can be recognised. */
  authenticate(request: SignedRequest, platform: unknown): Promise<Principal>;
}

export const sigV4Authenticator = (
  keys: AccessKeyFinder,
  { region, now }: { readonly region: string; readonly now: () => number },
): Authenticator => ({
  authenticate: (request) => verifySigV4(request, keys, { region, now: now() }),
});

export const noAuthentication = (accountId: string): Authenticator => ({
  authenticate: () => Promise.resolve({ arn: `arn:aws:iam::${accountId}:root`, ...everyRight }),
});
