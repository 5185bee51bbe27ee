/**
 * The sentences with which a pull fails, in one place. Each names the image and the registry, says what is wrong and what to do,
 * and keeps the words that ECS clients match on: `i/o timeout`, `EOF`, `connection refused`.
 */
import { formatBytes, formatDuration } from '../../core/text.ts';
import { DiskFull, RuntimeFailure } from '../runtime.ts';
import type { CredentialsError } from './credentials.ts';
import { parseEcrHost } from './ecr-host.ts';
import type { ImageReference } from './reference.ts';

/** A registry's trouble that may pass. What is said of it while it is waited for is a clause without the image. */
export class RegistryTrouble extends RuntimeFailure {
  readonly reason: string;
  /** When the registry wants to be asked again, where it says so. */
  readonly retryAfterMs: number | undefined;

  constructor(reason: string, message: string, options: { retryAfterMs?: number | undefined; cause?: unknown } = {}) {
    super('CannotPullContainerError', message, { retryable: true, cause: options.cause });
    this.reason = reason;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** The registry could not be reached, or stopped answering. Worth another try. */
export function unreachable(image: ImageReference, reason: string, cause?: unknown): RegistryTrouble {
  const message = `${subject(image)}: ${reason}. Check that the registry is up and that this host can reach it.`;
  return new RegistryTrouble(reason, message, { cause });
}

/** The registry has asked this host to wait, for longer than this pull may. */
export function registryPauses(image: ImageReference, reason: string, forMs: number): RegistryTrouble {
  const message = `${subject(image)}: ${reason}, and asks to wait for ${formatDuration(forMs)}. ${waitAdvice}.`;
  return new RegistryTrouble(reason, message, { retryAfterMs: forMs });
}

const waitAdvice = 'Wait, configure credentials with a higher limit, or name a mirror';

/** What was tried as often as it is worth: trying again at once would not help. */
export function givenUp({ kind, message, cause }: RuntimeFailure): RuntimeFailure {
  return new RuntimeFailure(kind, message, { cause });
}

export function credentialsMissing(image: ImageReference, said: string): RuntimeFailure {
  return new RuntimeFailure(
    'CannotPullContainerAuthError',
    `${subject(image)}: the registry wants credentials and there are none for ${image.host}${quoted(said)}. ` +
      `Give the cluster some with \`gantry registries login ${image.host}\`, or check the name: registries also answer so for a ` +
      'repository that does not exist.',
  );
}

/** There should be credentials, and whoever gives them does not. */
export function credentialsUnavailable(image: ImageReference, { message, retryable, cause }: CredentialsError) {
  return new RuntimeFailure('CannotPullContainerError', `${subject(image)}: ${message}.`, { retryable, cause });
}

export function credentialsRefused(image: ImageReference, said: string): RuntimeFailure {
  if (parseEcrHost(image.host) !== undefined) return roleRefused(image, said);
  return new RuntimeFailure(
    'CannotPullContainerAuthError',
    `${subject(image)}: the registry refused the credentials for ${image.host}${quoted(said)}. ` +
      'Check user name and password, and that they may pull from this repository.',
  );
}

/** Amazon ECR knows who asks and does not let them pull. */
function roleRefused(image: ImageReference, said: string): RuntimeFailure {
  return new RuntimeFailure(
    'CannotPullContainerAuthError',
    `${subject(image)}: the credentials of this host may not pull from this repository${quoted(said)}. ` +
      "Allow the host's role ecr:BatchGetImage and ecr:GetDownloadUrlForLayer on it; a repository of another account must allow it too.",
  );
}

/** The registry's way of asking for credentials is none that can be answered. */
export function unknownChallenge(image: ImageReference, challenge: string): RuntimeFailure {
  return new RuntimeFailure(
    'CannotPullContainerAuthError',
    `${subject(image)}: the registry asks for credentials in a way that is not supported ("${challenge}"); Bearer and Basic are.`,
  );
}

export function manifestNotFound(image: ImageReference, said: string): RuntimeFailure {
  return new RuntimeFailure(
    'CannotPullImageManifestError',
    `${subject(image)}: not found${quoted(said)}. Check repository and tag, and that the image was pushed.`,
  );
}

export function noManifestForPlatform(image: ImageReference, wanted: string, offered: string): RuntimeFailure {
  return new RuntimeFailure(
    'CannotPullImageManifestError',
    `${subject(image)}: it is not made for ${wanted}, which this host is (offered: ${offered}). ` +
      'Build it for this platform, or place the task on hosts with another ecs.cpu-architecture.',
  );
}

export function badManifest(image: ImageReference, why: string, cause?: unknown): RuntimeFailure {
  return new RuntimeFailure(
    'CannotPullImageManifestError',
    `${subject(image)}: its manifest cannot be used: ${why}. Push the image again with a current builder.`,
    { cause },
  );
}

/** The registry sent other bytes than the manifest promises. */
export function corruptBlob(image: ImageReference, digest: string, why: string, cause?: unknown): RuntimeFailure {
  return new RuntimeFailure(
    'CannotPullContainerError',
    `${subject(image)}: the registry sent wrong content for ${digest} (${why}). ` +
      'The registry, or a mirror or proxy before it, is damaged or tampered with; push the image again.',
    { cause },
  );
}

/** Any other answer of the registry. */
export function badAnswer(
  image: ImageReference,
  { status, retryAfterMs }: { readonly status: number; readonly retryAfterMs?: number | undefined },
  said: string,
): RuntimeFailure {
  const answers = `HTTP status ${status}${quoted(said)}`;
  const asks = retryAfterMs === undefined ? '' : ` and asks to wait for ${formatDuration(retryAfterMs)}`;
  const advice = status === 429 ? waitAdvice : 'See the log of the registry';
  const message = `${subject(image)}: the registry answered ${answers}${asks}. ${advice}.`;
  if (status !== 429 && status < 500) return new RuntimeFailure('CannotPullContainerError', message);
  return new RegistryTrouble(`${image.host} answers ${answers}`, message, { retryAfterMs });
}

export function badRedirect(image: ImageReference, why: string): RuntimeFailure {
  return new RuntimeFailure(
    'CannotPullContainerError',
    `${subject(image)}: ${why}. See the configuration of the registry.`,
  );
}

/** containerd could not take or unpack what the registry sent. */
export function hostFailed(image: ImageReference, doing: string, cause: Error, retryable: boolean): RuntimeFailure {
  return new RuntimeFailure(
    'CannotPullContainerError',
    `${subject(image)}: ${doing} failed on the host: ${cause.message}. The log of containerd on the host says more.`,
    { retryable, cause },
  );
}

export const isDiskFull = (error: unknown): error is Error =>
  error instanceof Error && /no space left on device|disk quota exceeded/.test(error.message);

export function diskFull(image: ImageReference, imageBytes: number, cause: Error): RuntimeFailure {
  const size = imageBytes === 0 ? 'it' : `its ${formatBytes(imageBytes)}, and more once they are unpacked,`;
  return new DiskFull(
    `${subject(image)}: no space left on device: the disk of the host has no room for ${size} beside what is kept free for the host. ` +
      'Make room in its data directory, or give it a larger disk; a small image whose layers unpack to very much is an attack, or a mistake.',
    imageBytes,
    cause,
  );
}

function subject({ original, host }: ImageReference): string {
  return `The image "${original}" could not be pulled from ${host}`;
}

/** A registry's own words, where there are any, made safe to show. */
function quoted(said: string): string {
  const text = said.replaceAll(/[^\x20-\x7e]+/g, ' ').trim();
  return text === '' ? '' : ` (it says: ${text.length > 200 ? `${text.slice(0, 200)}…` : text})`;
}
