/** Has this machine's key admitted as a host, and asks how the host stands. The agent that runs meanwhile, if one does, is left alone. */
import type { Logger } from 'pino';
import { systemClock } from '../../agent/clock.ts';
import type { AgentConfigFile } from '../../agent/config.ts';
import { ControlPlaneError, createControlPlane, type HostClient } from '../../agent/control-plane/client.ts';
import { type Identity, openIdentity } from '../../agent/identity.ts';
import { describedHost, keepAdmission, registerHost } from '../../agent/registration.ts';
import { type ErrorCode, errorTraits, GantryError } from '../../core/errors.ts';
import packageJson from '../../package.json' with { type: 'json' };

/** Throws a GantryError with what the control plane says against it. Answers the host's id. */
export async function admit(config: AgentConfigFile, token: string | undefined, log: Logger): Promise<string> {
  const identity = await openIdentity(config.dataDirectory, log);
  if (identity.admission === undefined && token === undefined)
    throw new GantryError('InvalidParameterException', '--token is missing: this machine is no host yet.', {
      field: 'token',
      hint: '`gantry join-token`, where the control plane is reached, makes one.',
    });
  const { reservedPorts = [], attributes = {} } = config;
  const host = { ...config, reservedPorts, attributes, logLevel: 'info' } as const;
  const who = { ...describedHost(host, packageJson.version), publicKey: identity.publicKey };
  try {
    const client = createControlPlane(config.controlPlaneUrl, identity, systemClock);
    const admitted = await registerHost(client, { ...who, ...(token !== undefined && { token }) });
    await keepAdmission(identity, admitted);
    return admitted.hostId;
  } catch (error) {
    throw refusalOf(error);
  }
}

/** Of a host that was admitted: undefined where it never was. */
export async function hostClient(
  config: Pick<AgentConfigFile, 'controlPlaneUrl' | 'dataDirectory'>,
  log: Logger,
): Promise<{ readonly client: HostClient; readonly hostId: string } | undefined> {
  const identity: Identity = await openIdentity(config.dataDirectory, log);
  const hostId = identity.admission?.hostId;
  return hostId === undefined
    ? undefined
    : { client: createControlPlane(config.controlPlaneUrl, identity, systemClock), hostId };
}

const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorTraits, code);

/** As commands tell errors. */
export function refusalOf(error: unknown): unknown {
  if (!(error instanceof ControlPlaneError)) return error;
  const { refusal } = error;
  if (refusal === undefined || !isErrorCode(refusal.code))
    return new GantryError('ServiceUnavailableException', error.message, { cause: error });
  const { code, message, field, hint } = refusal;
  return new GantryError(code, message, {
    ...(field !== undefined && { field }),
    ...(hint !== undefined && { hint }),
    cause: error,
  });
}
