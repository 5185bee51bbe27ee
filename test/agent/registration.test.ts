import { expect, it } from 'vitest';
import { ControlPlaneError } from '../../agent/control-plane/client.ts';
import { registerHost } from '../../agent/registration.ts';
import { protocolVersion, type RegisterRequest } from '../../core/host-protocol.ts';

const who = {
  cluster: 'default',
  name: 'a',
  publicKey: 'key',
  address: '127.0.0.1',
  agentVersion: '0.1.0',
  cpuUnits: 1,
  memoryMib: 1,
  reservedPorts: [],
  attributes: {},
};
const admitted = { hostId: 'h', cluster: 'default', storeEpoch: 's', heartbeatSeconds: 5 };

/** A control plane that understands these versions. */
function controlPlane(understood: readonly number[]) {
  const asked: number[] = [];
  const register = async ({ protocolVersion: version }: RegisterRequest) => {
    asked.push(version);
    if (understood.includes(version)) return admitted;
    const refusal = { code: 'InvalidParameterException', message: 'another version', field: 'protocolVersion' };
    throw new ControlPlaneError('refused', { status: 400, refusal });
  };
  return { asked, register };
}

it.each([
  ['of its own version once', [protocolVersion, protocolVersion + 1], [protocolVersion]],
  ['of the version before in that', [protocolVersion - 2, protocolVersion - 1], [protocolVersion, protocolVersion - 1]],
])('an agent registers with a control plane %s', async (_, understood, expected) => {
  const { asked, register } = controlPlane(understood);
  expect(await registerHost({ register }, who)).toBe(admitted);
  expect(asked).toEqual(expected);
});

it('an agent says why where no version is understood, and asks no further where something else is refused', async () => {
  await expect(registerHost(controlPlane([]), who)).rejects.toThrow('refused');
  let asked = 0;
  const register = async () => {
    asked += 1;
    throw new ControlPlaneError('the name is taken', { status: 409 });
  };
  await expect(registerHost({ register }, who)).rejects.toThrow('the name is taken');
  expect(asked).toBe(1);
});
