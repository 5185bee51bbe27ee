/** What an agent's machine is to it: the host, what admits it, what its registries take, and who tells of its end. */
import type { Entitlement } from './agent.ts';
import type { AgentConfig, HostConfig } from './config.ts';
import type { AskingDeps } from './ec2/instance.ts';
import type { RegistryCredentials } from './images/credentials.ts';
import type { WatchNotices } from './loops/notices.ts';

export interface Platform {
  readonly host: HostConfig;
  /** @param publicKey as `Identity` has it */
  readonly entitlement: (publicKey: string) => Promise<Entitlement>;
  /** Beside those of the configuration. */
  readonly registryCredentials?: RegistryCredentials;
  /** Absent where nobody tells of this machine's end. */
  readonly watchNotices?: WatchNotices;
}

/** Undefined when the signal fired before it was known. */
export async function openPlatform(
  config: AgentConfig,
  environment: NodeJS.ProcessEnv,
  deps: AskingDeps,
  signal: AbortSignal,
): Promise<Platform | undefined> {
  if (config.platform === 'ec2') {
    const { openEc2 } = await import('./ec2/host.ts');
    const { AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata, AWS_ENDPOINT_URL_ECR: ecr } = environment;
    return await openEc2(config, { metadata, ecr }, deps, signal);
  }
  const { joinToken, platform: _, ...host } = config;
  return { host, entitlement: async () => (joinToken === undefined ? {} : { token: joinToken }) };
}
