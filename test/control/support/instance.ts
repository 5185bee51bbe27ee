/** An EC2 instance whose agent proves what it is: the agent's own code, with credentials of the instance as the test's STS issued them. */
import { pino } from 'pino';
import { proveInstance } from '../../../agent/ec2/proof.ts';
import { openRole } from '../../../agent/ec2/role.ts';
import type { RegisterRequest, RegisterResponse } from '../../../core/host-protocol.ts';
import type { InstanceProof } from '../../../core/instance-proof.ts';
import type { FakeSts, StsCredentials } from '../../support/fake-sts.ts';
import { type HostOptions, ScriptedHost } from './scripted-host.ts';
import type { World } from './world.ts';

export const roleId = 'AROA1234567890EXAMPLE';

export class Instance {
  readonly id: string;
  readonly credentials: StsCredentials;
  readonly #world: World;

  constructor(world: World, sts: FakeSts, id: string, role = roleId) {
    this.id = id;
    this.#world = world;
    this.credentials = sts.assume({ roleId: role, sessionName: id });
  }

  /** As the agent makes it, now, for the host's key. */
  proof(publicKey: string, region = 'us-east-1'): Promise<InstanceProof> {
    const { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: Token } = this.credentials;
    const answer = { AccessKeyId, SecretAccessKey, Token, Expiration: '2100-12-31T00:00:00Z' };
    const metadata = {
      read: async (path: string) => (path.endsWith('/') ? 'host-role' : JSON.stringify(answer)),
    };
    const clock = { now: () => this.#world.now(), sleep: async () => {} };
    return proveInstance(openRole(metadata, { clock, log: pino({ level: 'silent' }) }), region, publicKey);
  }

  /** A new key on this instance, not registered yet. */
  host(options: HostOptions = {}): ScriptedHost {
    return new ScriptedHost(this.#world.control, { name: this.id, ...options });
  }

  async register(host: ScriptedHost, changes: Partial<RegisterRequest> = {}): Promise<RegisterResponse> {
    return host.register(undefined, { instanceProof: await this.proof(host.publicKey), ...changes });
  }

  /** A host that may be given tasks. */
  async join(options: HostOptions = {}): Promise<ScriptedHost> {
    const host = this.host(options);
    await this.register(host);
    await host.fetch();
    await host.report({ full: true });
    return host;
  }
}
