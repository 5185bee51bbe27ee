/**
 * Which EC2 instance a registration comes from, by the proof that its agent signed with its role's credentials: the proof must be for
 * this very key and this very moment, STS says who signed it, the role must be one of a cluster's and the instance one that was
 * admitted to it. The session's name alone proves nothing: whoever may assume some role chooses it.
 */
import { GantryError } from '../../core/errors.ts';
import type { RegisterRequest } from '../../core/host-protocol.ts';
import { type InstanceProof, instanceProof, stsHost } from '../../core/instance-proof.ts';
import type { ControlDeps } from '../deps.ts';
import { type AdmittedInstance, getHostRole, getInstance, type HostRole } from '../store/instances.ts';
import type { Caller } from './caller-identity.ts';

/** STS' word on who signed the proof. `keyDigest`: SHA-256 of the registration's public key. */
export async function callerOf(deps: ControlDeps, { headers }: InstanceProof, keyDigest: string): Promise<Caller> {
  if (deps.callerIdentity === undefined) {
    throw refused('This control plane admits hosts by join token only.', 'Give the agent a join token.');
  }
  checkProof(headers, { keyDigest, region: deps.realm.region, now: deps.clock.now() });
  return deps.callerIdentity.whoSigned(headers);
}

interface AdmittedBy {
  readonly role: HostRole;
  readonly instance: AdmittedInstance;
}

/** The instance that the caller is. Throws AccessDeniedException saying what is missing, or ConflictException. */
export async function admittedInstance(
  { table }: Pick<ControlDeps, 'table'>,
  request: RegisterRequest,
  { userId, arn }: Caller,
): Promise<AdmittedBy> {
  const [roleId = '', instanceId = ''] = userId.split(':');
  const role = await getHostRole(table, roleId);
  if (role === undefined || role.cluster !== request.cluster) {
    const message = `${arn} is not of a role whose instances may become hosts of the cluster ${request.cluster}.`;
    throw refused(message, "The role of the cluster's hosts is registered by its GantryCluster.");
  }
  const instance = await getInstance(table, instanceId);
  if (instance === undefined || instance.cluster !== role.cluster) {
    const message = `${instanceId} is not an instance that was admitted to the cluster ${role.cluster}.`;
    throw refused(message, 'Instances are admitted by the stack that launches them, or by AdmitInstances.');
  }
  if (request.name !== instanceId) {
    const message = `The name of an instance's host is the id of the instance, ${instanceId}.`;
    throw new GantryError('InvalidParameterException', message, { field: 'name' });
  }
  if (instance.hostId !== undefined) throw claimed(instance);
  return { role, instance };
}

const refused = (message: string, hint: string): GantryError =>
  new GantryError('AccessDeniedException', message, { field: 'instanceProof', hint });

const claimed = ({ instanceId, hostId = '' }: AdmittedInstance): GantryError =>
  new GantryError('ConflictException', `The instance ${instanceId} is a host already, with another key.`, {
    hint: 'Give it back its identity directory, or deregister the host and admit the instance again.',
    resourceIds: [hostId],
  });

const authorizationPattern =
  /^AWS4-HMAC-SHA256 Credential=[^/,\s]+\/(\d{8})\/([^/,\s]+)\/sts\/aws4_request, ?SignedHeaders=([^,\s]+), ?Signature=[0-9a-f]{64}$/;

/** The request that STS would be sent must be the one that everybody signs, for this key, now, and for our own region. */
function checkProof(
  headers: InstanceProof['headers'],
  { keyDigest, region, now }: { readonly keyDigest: string; readonly region: string; readonly now: number },
): void {
  const names: readonly string[] = [...instanceProof.signedHeaders, 'authorization'];
  const given = Object.keys(headers);
  if (given.length !== names.length || names.some((name) => headers[name] === undefined)) {
    throw wrong(`must have the headers ${names.join(', ')} and no others`);
  }
  const [, , scope, signed] = authorizationPattern.exec(headers.authorization ?? '') ?? [];
  if (signed === undefined) throw wrong('must be signed by AWS Signature Version 4 for the service sts');
  if (signed !== instanceProof.signedHeaders.join(';')) throw wrong(`must sign its headers, not just ${signed}`);
  if (scope !== region) throw wrong(`must be signed for the region ${region} of this control plane, not ${scope}`);
  if (headers.host !== stsHost(region)) throw wrong(`must be for the host ${stsHost(region)}`);
  if (headers['content-type'] !== instanceProof.contentType) throw wrong('must have the content type of a form');
  if (headers[instanceProof.keyHeader] !== keyDigest) throw wrong("must be for the registration's own key");
  const skewSeconds = Math.abs(now - dateOf(headers['x-amz-date'] ?? '')) / 1000;
  // Written so that a date which is none is refused.
  if (!(skewSeconds <= instanceProof.maxSkewSeconds)) throw wrong('must be signed now: set the clock of the host');
}

/** `20260101T000000Z` in epoch milliseconds; NaN where it is no such date. */
const dateOf = (text: string): number =>
  Date.parse(text.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/, '$1-$2-$3:$4:$5'));

const wrong = (what: string): GantryError =>
  new GantryError('AccessDeniedException', `The proof of the instance's role ${what}.`, { field: 'instanceProof' });
