/**
 * AWS credentials as AWS' own tools find them: environment, profile, SSO, web identity, container, instance. The providers are loaded
 * when they are first asked, because most commands never need them.
 */
import { GantryError } from '../core/errors.ts';
import type { Credentials } from './signer.ts';

/** Asks the chain once and again when what it answered has expired. Throws a GantryError that says how to give credentials. */
export function awsCredentials(): () => Promise<Credentials> {
  let provider: Promise<() => Promise<Credentials>> | undefined;
  return async () => {
    provider ??= import('@aws-sdk/credential-provider-node').then(({ defaultProvider }) => defaultProvider());
    try {
      return await (await provider)();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new GantryError(
        'MissingAuthenticationTokenException',
        `There are no AWS credentials to sign with: ${why}`,
        {
          hint: 'This control plane asks IAM: set AWS_PROFILE (after `aws sso login`) or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
          cause: error,
        },
      );
    }
  };
}
