/** Where the smoke test runs: a real account, or an emulator that rehearses it. What is done there is in steps.ts. */
import type { Client } from '../../client/client.ts';
import type { Credentials } from '../../client/signer.ts';
import type { CommandEnd, Outputs } from './cdk.ts';

/** What a step may need beyond the API. An emulator lacks both: its instances do not boot. */
export type Need = 'instances' | 'gateway';

export interface Site {
  readonly lacks: readonly Need[];
  /** Of every deployment here, `gantry:<key>`. */
  readonly context: Readonly<Record<string, string>>;
  readonly region: string;
  /** A busybox that hosts here can pull. */
  readonly image: string;
  deploy(context: Readonly<Record<string, string>>): Promise<Deployed>;
  destroy(): Promise<CommandEnd>;
}

export interface Deployed {
  readonly outputs: Outputs;
  /** REST, without a slash at its end. */
  readonly endpoint: string;
  /** Of the ECS wire protocol. */
  readonly wireEndpoint: string;
  /** Signs for IAM. */
  readonly client: Client;
  /** Returns once something that may become a host is on its way. Where there are instances, the stack's own are. */
  bringHost(): Promise<void>;
  /** Of the principal that runs this; for calls of AWS' own APIs. */
  readonly credentials: () => Promise<Credentials>;
}
