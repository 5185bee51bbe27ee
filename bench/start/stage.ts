/** Everything that the contenders stand on: a registry with the image, a cloud, and a directory. Disposing takes all of it away. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '../../client/client.ts';
import { networkConfigOf } from '../../local/agents.ts';
import { containerdPaths } from '../../local/containerd.ts';
import { type HostPlan, planHosts } from '../../local/host-plan.ts';
import { busyboxImage } from '../../local/images/busybox-image.ts';
import { pushImage } from '../../local/images/push-image.ts';
import { startRegistry } from '../../local/images/registry.ts';
import { thisMachine } from '../../local/machine.ts';
import { cloudPaths } from '../../local/options.ts';
import { readOptions } from '../../local/server.ts';
import { startCloud } from '../../test/support/cloud.ts';
import { bareContender } from './bare.ts';
import type { Contender } from './contender.ts';
import { ctrContender } from './ctr.ts';
import { benchDefinition } from './definition.ts';
import { dockerContender } from './docker.ts';
import { gantryContender } from './gantry.ts';

export interface Stage extends AsyncDisposable {
  /** Gantry first. */
  readonly contenders: readonly Contender[];
  readonly client: Client;
  readonly host: HostPlan;
  /** Gantry's own, past its contender. */
  readonly cloud: {
    /** Of the definition that is registered. */
    readonly family: string;
    readonly agentPid: number;
    readonly containerdPid: number;
    readonly containerdSocket: string;
    /** Of containerd. */
    readonly namespaces: { readonly gantry: string; readonly bare: string };
  };
}

export async function setStage(
  { withDocker, define = benchDefinition }: { readonly withDocker: boolean; readonly define?: typeof benchDefinition },
  say: (line: string) => void,
): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  // Beside the cloud's own data, on the same kind of disk.
  const directory = stack.adopt(mkdtempSync('/var/tmp/gantry-bench-'), (path) =>
    rmSync(path, { recursive: true, force: true }),
  );
  const registry = stack.use(await startRegistry({ dir: join(directory, 'registry') }));
  const image = await busyboxImage();
  const { reference } = await pushImage(image, { registryUrl: registry.url, repository: 'bench', tag: 'latest' });
  const definition = define(reference);

  say('starting a cloud (gantry up)');
  const cloud = stack.use(await startCloud());
  const { host, network } = hostOf(cloud);
  const socket = containerdPaths(cloud.dataDir, cloud.runDir).socket;
  const own = (kind: string) => ({
    socket,
    namespace: `${cloud.name}-${kind}`,
    cgroupParent: `/${cloud.name}/${kind}`,
    directory: join(directory, kind),
  });
  const stateDirectory = join(cloudPaths(cloud).hostData(host.name), 'runtime');
  const gantry = {
    client: cloud.client,
    host,
    network: networkConfigOf(host),
    containerdSocket: socket,
    stateDirectory,
  };
  const contenders = [
    stack.use(await gantryContender({ ...gantry, definition })),
    stack.use(
      await bareContender({
        ...own('bare'),
        network: {
          ...networkConfigOf(host),
          bridge: `${cloud.name}b`,
          subnet: `${network}.250.0/24`,
          chainPrefix: `${host.chainPrefix}B`,
        },
        runtimeRoot: join(directory, 'bare', 'runc'),
        definition,
      }),
    ),
    stack.use(await ctrContender({ ...own('ctr'), image: reference })),
  ];
  if (withDocker) {
    say('starting a Docker daemon of its own');
    const networks = { outerNetwork: `${network}.251`, innerNetwork: `${network}.252` };
    const docker = { name: cloud.name, ...networks, directory: join(directory, 'docker'), image };
    contenders.push(stack.use(await dockerContender(docker)));
  }
  const owned = stack.move();
  return {
    contenders,
    client: cloud.client,
    host,
    cloud: {
      family: definition.family,
      agentPid: pidIn(cloudPaths(cloud).agentPid(host.name)),
      containerdPid: pidIn(containerdPaths(cloud.dataDir, cloud.runDir).pidFile),
      containerdSocket: socket,
      namespaces: { gantry: host.containerdNamespace, bare: own('bare').namespace },
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const pidIn = (path: string): number => Number(readFileSync(path, 'utf8').trim());

function hostOf(paths: { readonly dataDir: string; readonly runDir: string }): { host: HostPlan; network: string } {
  const options = readOptions(cloudPaths(paths));
  const host = options && planHosts(options, thisMachine())[0];
  if (options === undefined || host === undefined) throw new Error('The cloud does not say how it was started.');
  return { host, network: options.network };
}
