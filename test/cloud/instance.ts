/** An EC2 instance with a role, for hosts of the cloud's tests: the agent's own proof, with credentials that the test's STS issued. */
import { pino } from 'pino';
import type { Entitlement } from '../../agent/agent.ts';
import { proveInstance } from '../../agent/ec2/proof.ts';
import { openRole } from '../../agent/ec2/role.ts';
import type { StsCredentials } from '../support/fake-sts.ts';
import { hastyClock } from './test-host.ts';

/** Proves the key with these credentials. */
export function proofWith(credentials: StsCredentials, region: string): (publicKey: string) => Promise<Entitlement> {
  const { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: Token } = credentials;
  const answer = JSON.stringify({ AccessKeyId, SecretAccessKey, Token, Expiration: '2100-12-31T00:00:00Z' });
  const metadata = { read: async (path: string) => (path.endsWith('/') ? 'host-role' : answer) };
  const role = openRole(metadata, { clock: hastyClock(1), log: pino({ level: 'silent' }) });
  return async (publicKey) => ({ instanceProof: await proveInstance(role, region, publicKey) });
}
