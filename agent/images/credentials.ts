/** Where a registry's credentials come from, as the puller sees it. */
import type { Credentials } from './registry.ts';

/**
 * By registry (`docker.io`, `registry.example.com:5000`), and the name of what the control plane has for it, where it has; undefined
 * where there are none. Throws CredentialsError.
 */
export type RegistryCredentials = (registry: string, name?: string) => Promise<Credentials | undefined>;

/** There should be some, and they cannot be had. The message is a clause, and says what to do. */
export class CredentialsError extends Error {
  override readonly name = 'CredentialsError';
  /** True where they may be had later with nothing changed. */
  readonly retryable: boolean;

  constructor(message: string, options: { retryable: boolean; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.retryable = options.retryable;
  }
}
