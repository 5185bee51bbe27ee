/** The emulator as a place where the smoke test is rehearsed: its API by a front on loopback, its host an agent on this machine. */
import { systemClock } from '../../agent/clock.ts';
import { createClient } from '../../client/client.ts';
import { startRealMachine } from '../agent/runtime/real-host.ts';
import { Cdk } from '../smoke/cdk.ts';
import type { Deployed, Site } from '../smoke/site.ts';
import { agentDirectory, startAgent, type TestAgent } from '../support/test-agent.ts';
import { startFront } from './front.ts';
import { pointAtLoopback } from './loopback-names.ts';
import type { Emulator } from './ministack.ts';

const region = 'us-east-1';
/** The emulator's root user. */
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };

export interface EmulatorSite extends Site, AsyncDisposable {
  readonly cdk: Cdk;
  /** The agent that `bringHost` started, as SIGTERM ends it. */
  endHost(): Promise<void>;
}

export async function openEmulatorSite(emulator: Emulator): Promise<EmulatorSite> {
  await using started = new AsyncDisposableStack();
  const cdk = new Cdk({ stackName: 'Gantry', directory: emulator.directory, env: emulator.env, timeoutMs: 240_000 });
  const machine = started.use(await startRealMachine());
  const host = started.use(await machine.host());
  const directory = started.use(agentDirectory());
  /** What is started later, by deployments. */
  const later = started.use(new AsyncDisposableStack());
  let agent: TestAgent | undefined;

  /** Fronts stay where they are when the stack is updated: the agent goes on speaking to them. */
  const fronts = new Map<string, string>();
  const frontOf = async (apiId: string): Promise<string> => {
    const known = fronts.get(apiId);
    if (known !== undefined) return known;
    const { url } = later.use(await startFront(emulator, apiId));
    fronts.set(apiId, url);
    return url;
  };
  const endHost = async (): Promise<void> => {
    await agent?.stop();
    agent = undefined;
  };
  const context = {
    hosts: '0', // The emulator has no AWS::EC2::Instance,
    maxHosts: '0', // and instances that are bought would not boot; it
    alarms: 'false', // knows no metric math,
    wireFront: 'http-api', // and CloudFront's names lead nowhere here.
    removalPolicy: 'destroy',
    hostsReservedConcurrency: '0',
    heartbeatSeconds: '10',
  };

  async function deploy(wanted: Readonly<Record<string, string>>): Promise<Deployed> {
    const outputs = await cdk.deploy(wanted);
    const endpoint = await frontOf(outputs.ApiId);
    const sockets = await frontOf(outputs.WebSocketApiId);
    const socketHost = `${outputs.WebSocketApiId}.execute-api.${region}.amazonaws.com`;
    await pointAtLoopback(emulator, [
      { from: `https://${socketHost}`, to: `${emulator.endpoint}/_aws/execute-api/${outputs.WebSocketApiId}` },
      { from: `wss://${socketHost}`, to: sockets.replace('http:', 'ws:') },
    ]);
    const client = createClient({ endpoint, region, credentials, signingService: 'execute-api' });
    return {
      outputs,
      endpoint,
      wireEndpoint: endpoint,
      client,
      credentials: () => Promise.resolve(credentials),
      async bringHost() {
        const { joinToken } = await client.call('CreateJoinToken', { cluster: outputs.ClusterName });
        agent = await startAgent({
          directory: directory.path,
          host: { open: () => host.reopen() },
          controlPlane: { url: endpoint },
          clock: systemClock,
          entitlement: () => Promise.resolve({ token: joinToken }),
        });
      },
    };
  }

  started.defer(endHost);
  const all = started.move();
  return {
    cdk,
    lacks: ['instances', 'gateway'],
    context,
    region,
    image: machine.image,
    deploy,
    destroy: () => cdk.destroy(context),
    endHost,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
