/**
 * Image references as people write them (`busybox`, `ghcr.io/owner/app:1.2`, `localhost:5000/app@sha256:…`), parsed and completed
 * the way Docker and containerd complete them.
 */
import { splitRegistry } from '../../core/model/registry-credentials.ts';
import { RuntimeFailure } from '../runtime.ts';

export interface ImageReference {
  /** As it was written. */
  readonly original: string;
  /** `docker.io`, `localhost:5000`: what credentials are kept for. */
  readonly host: string;
  /** `library/busybox`. */
  readonly repository: string;
  /** `latest` where neither tag nor digest was written; undefined where only a digest was. */
  readonly tag: string | undefined;
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest: string | undefined;
  /** The completed form, which is the name of the image record in containerd: `docker.io/library/busybox:latest`. */
  readonly name: string;
}

const pathComponent = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tagPattern = /^\w[\w.-]{0,127}$/;
const digestPattern = /^sha256:[a-f0-9]{64}$/;
const hostPattern =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[0-9a-fA-F:]+\])(?::\d{1,5})?$/;
const maxNameLength = 255;

/** Throws a RuntimeFailure (CannotPullContainerError) that says what is wrong with it. */
export function parseReference(original: string): ImageReference {
  const [beforeDigest = '', digest, ...rest] = original.split('@');
  if (rest.length > 0) throw invalid(original, 'it holds more than one "@"');
  if (digest !== undefined && !digestPattern.test(digest)) {
    throw invalid(original, `"${digest}" is not a digest (sha256: and 64 lower-case hexadecimal digits)`);
  }
  const { path, tag } = splitTag(beforeDigest);
  if (tag !== undefined && !tagPattern.test(tag)) {
    throw invalid(original, `"${tag}" is not a tag (letters, digits, "_", "." and "-", at most 128)`);
  }
  const { host, repository } = splitHost(path);
  if (!hostPattern.test(host)) throw invalid(original, `"${host}" is not a registry's host name`);
  checkRepository(original, repository);
  const effectiveTag = tag ?? (digest === undefined ? 'latest' : undefined);
  const name = `${host}/${repository}${effectiveTag === undefined ? '' : `:${effectiveTag}`}${digest === undefined ? '' : `@${digest}`}`;
  return { original, host, repository, tag: effectiveTag, digest, name };
}

/** The name of the record that keeps exactly this manifest, whatever its tags are moved to. */
export function digestName(reference: ImageReference, digest: string): string {
  return `${reference.host}/${reference.repository}@${digest}`;
}

/** A colon after the last slash begins a tag; one before it belongs to a port. */
function splitTag(text: string): { path: string; tag: string | undefined } {
  const colon = text.indexOf(':', text.lastIndexOf('/') + 1);
  return colon === -1 ? { path: text, tag: undefined } : { path: text.slice(0, colon), tag: text.slice(colon + 1) };
}

function splitHost(path: string): { host: string; repository: string } {
  const { registry: host, rest } = splitRegistry(path);
  return { host, repository: host === 'docker.io' && !rest.includes('/') ? `library/${rest}` : rest };
}

function checkRepository(original: string, repository: string): void {
  if (repository === '' || repository === 'library/') throw invalid(original, 'it names no repository');
  const wrong = repository.split('/').find((component) => !pathComponent.test(component));
  if (wrong === '') throw invalid(original, 'a part of its path is empty');
  if (wrong !== undefined && /[A-Z]/.test(wrong)) throw invalid(original, `"${wrong}" holds capital letters`);
  if (wrong !== undefined) {
    throw invalid(
      original,
      `"${wrong}" may hold only lower-case letters and digits, with ".", "_" or "-" between them`,
    );
  }
  if (repository.length > maxNameLength)
    throw invalid(original, `its repository is longer than ${maxNameLength} characters`);
}

function invalid(original: string, why: string): RuntimeFailure {
  return new RuntimeFailure(
    'CannotPullContainerError',
    `The image reference "${original}" is not valid: ${why}. Correct "image" in the task definition, ` +
      'for example "registry.example.com/team/app:1.2".',
  );
}
