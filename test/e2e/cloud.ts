/** A cloud as the end-to-end tests see it, whatever its control plane is: hosts of this machine, clients' ways in, and what can be killed. */
import type { Client } from '../../client/client.ts';
import type { Credentials } from '../../client/signer.ts';

/** A process of the cloud; `control-plane` is as many as it has at the moment. */
export type Victim = 'control-plane' | 'containerd' | `agent-${string}`;

export interface Cloud extends AsyncDisposable {
  /** Prefix of everything that it has on this machine. */
  readonly name: string;
  readonly dataDir: string;
  readonly runDir: string;
  /** For ECS clients, with `credentials`. */
  readonly endpoint: string;
  readonly credentials: Credentials;
  /** AWS_* variables for ECS clients. */
  readonly env: NodeJS.ProcessEnv;
  /** Our own typed client, for what stock clients cannot see. */
  readonly client: Client;
  /** `kill -9`. What was killed comes back by itself. */
  kill(victim: Victim): Promise<void>;
  /** Stops every task and takes everything away but the data. */
  down(): Promise<void>;
}

/** `count` hosts, called host-1 and so on. */
export interface CloudOptions {
  readonly hosts: number;
}
