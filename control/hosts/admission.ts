/**
 * What admits a new key as a host: a join token, or the proof of an instance's role. Says what the commit that makes the host must spend
 * or hold, so that a token or an instance admits one host however many try at once.
 */
import { GantryError } from '../../core/errors.ts';
import type { RegisterRequest } from '../../core/host-protocol.ts';
import type { ControlDeps } from '../deps.ts';
import { joinTokenDigest } from '../keys/join-tokens.ts';
import { claimInstance, hostRoleIsStill } from '../store/instances.ts';
import { getJoinToken, type JoinToken, spendJoinToken } from '../store/join-tokens.ts';
import type { Change } from '../store/table.ts';
import { admittedInstance, callerOf } from './instance-role.ts';

export interface Admission {
  readonly instanceId?: string;
  /** The capacity provider that bought the instance. */
  readonly provider?: string | undefined;
  /** Refused where somebody else was quicker. */
  readonly spend: (hostId: string) => Change[];
}

/** To be asked at each try: what the store says may have changed; STS is asked once. Throws AccessDeniedException or ConflictException. */
export function admissionOf(deps: ControlDeps, request: RegisterRequest, keyDigest: string): () => Promise<Admission> {
  const { instanceProof } = request;
  if (instanceProof === undefined) return () => byToken(deps, request);
  let caller: ReturnType<typeof callerOf> | undefined;
  return async () => {
    caller ??= callerOf(deps, instanceProof, keyDigest);
    const { role, instance } = await admittedInstance(deps, request, await caller);
    return {
      instanceId: instance.instanceId,
      provider: instance.provider,
      spend: (hostId) => [claimInstance(instance, hostId), hostRoleIsStill(role)],
    };
  };
}

async function byToken(deps: ControlDeps, request: RegisterRequest): Promise<Admission> {
  const token = await validToken(deps, request);
  return { spend: (hostId) => [spendJoinToken(token, hostId)] };
}

async function validToken({ table, clock }: ControlDeps, request: RegisterRequest): Promise<JoinToken> {
  const hint = `Make a new one for this host: \`gantry join-token --cluster ${request.cluster}\`, where the control plane is reached.`;
  if (request.token === undefined) {
    throw new GantryError('AccessDeniedException', 'A new host needs a join token or the proof of its role.', { hint });
  }
  const token = await getJoinToken(table, joinTokenDigest(request.token), clock.now());
  if (token === undefined)
    throw new GantryError(
      'AccessDeniedException',
      'The join token is not known here: it was mistyped or is of another control plane, or its time is over.',
      { hint },
    );
  if (token.spentBy !== undefined) {
    throw new GantryError('AccessDeniedException', 'The join token has admitted another host already.', { hint });
  }
  if (token.cluster !== request.cluster) {
    const message = `The join token admits hosts to the cluster ${token.cluster}, not to ${request.cluster}.`;
    throw new GantryError('AccessDeniedException', message, { field: 'cluster' });
  }
  return token;
}
