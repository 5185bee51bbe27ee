/**
 * A virtual machine that is a host of a control plane in this process: what it is lent, how it joins, and what is looked at in it. Its
 * state is on a disk that loses what was not flushed when its power is cut.
 */
import { createHash, randomBytes } from 'node:crypto';
import { type Client, createClient } from '../../client/client.ts';
import { busyboxImage } from '../../local/images/busybox-image.ts';
import { pushImage } from '../../local/images/push-image.ts';
import { startApi } from '../support/api-server.ts';
import { startTestImages } from '../support/test-images.ts';
import { type Machine, makeMachine } from './machine.ts';
import { repositoryInGuest } from './repository-disk.ts';
import { makeStateDisk } from './state-disk.ts';
import type { PowerCut, VolatileDisk } from './volatile-disk.ts';

const controlPlane = { name: 'control-plane.example', port: 8080 };
const registry = { name: 'registry.example', port: 5000 };
const mib = 2 ** 20;
const stateMib = 2048;
const stateDirectory = '/var/lib/gantry';

/** By its name in the control plane. */
export const hostName = 'guest';

export interface JoinedHost extends AsyncDisposable {
  readonly machine: Machine;
  readonly client: Client;
  /** As the guest pulls it. */
  readonly busybox: string;
  /** Another image, which no task has had yet; and a command that says by its exit code whether it is whole. */
  readonly fresh: { readonly image: string; readonly command: string };
  /** For its first boot: with the file system of its state, in this and every later life. */
  firstBoot(): Promise<void>;
  /** `gantry join` with a new token. */
  join(): Promise<void>;
  /** With the next write to its disk; `keeps` says of each sector that was not flushed whether it had reached it. */
  cutPower(keeps: () => boolean): Promise<PowerCut>;
  /** What is there of any task, a line each: empty when nothing is. */
  remains(): Promise<string[]>;
}

/** The machine is off. */
export async function makeJoinedHost(): Promise<JoinedHost> {
  await using made = new AsyncDisposableStack();
  const api = made.use(await startApi());
  api.control.start();
  const images = made.use(await startTestImages());
  const { reference, command } = await publishFresh(images.registryUrl);
  const client = createClient({ endpoint: api.endpoint, region: api.region, credentials: api.credentials });
  const state: { disk?: VolatileDisk } = {};
  const machine = made.use(
    makeMachine({
      name: 'host',
      memoryMib: 1536,
      lends: [
        { ...controlPlane, loopbackPort: portOf(api.endpoint) },
        { ...registry, loopbackPort: portOf(images.registryUrl) },
      ],
      disks: (directory) => {
        state.disk = made.use(makeStateDisk(directory, stateMib));
        return [state.disk.drive];
      },
    }),
  );
  const { disk } = state;
  if (disk === undefined) throw new Error('the machine has a disk for its state');
  const inGuest = (pushed: string): string => `${registry.name}:${registry.port}/${pushed.replace(/^[^/]+\//, '')}`;
  const all = made.move();
  return {
    machine,
    client,
    busybox: inGuest(images.busybox),
    fresh: { image: inGuest(reference), command },
    async firstBoot() {
      await machine.boot();
      await machine.sh(`mkdir -p ${stateDirectory}
echo '/dev/vdc ${stateDirectory} ext4 rw 0 2' >>/etc/fstab
systemctl daemon-reload; mount ${stateDirectory}; sync`);
    },
    async join() {
      const { joinToken } = await client.call('CreateJoinToken', { cluster: 'default' });
      const options = `--token ${joinToken} --name ${hostName} --insecure-registry ${registry.name}:${registry.port}`;
      const url = `http://${controlPlane.name}:${controlPlane.port}`;
      machine.say(await machine.sh(`cd ${repositoryInGuest}; node bin/gantry.mjs join ${url} ${options}; sync`));
    },
    async cutPower(keeps) {
      const cut = await disk.cutPower(keeps);
      await machine.guest.cutPower();
      return cut;
    },
    remains: async () => (await machine.sh(remains)).split('\n').filter((line) => line !== ''),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

async function publishFresh(registryUrl: string): Promise<{ readonly reference: string; readonly command: string }> {
  const content = randomBytes(mib);
  const image = await busyboxImage({ layers: [{ '/fresh': { content } }] });
  const { reference } = await pushImage(image, { registryUrl, repository: 'fresh', tag: 'test' });
  const digest = createHash('sha256').update(content).digest('hex');
  return { reference, command: `echo "${digest}  /fresh" | sha256sum -c` };
}

const portOf = (url: string): number => Number(new URL(url).port);

/** Wherever a task leaves something: containerd, network, firewall, control groups, mounts, processes. */
const remains = `ctr="ctr --address /run/gantry/containerd/containerd.sock --namespace gantry"
$ctr containers ls -q | sed 's/^/container /'
$ctr tasks ls -q | sed 's/^/process /'
$ctr snapshots ls | awk '$NF == "Active" { print "snapshot", $1 }'
ip -o netns list | sed 's/^/network namespace /'
ip -o link show master gantry0 2>/dev/null | sed 's/^/link /'
iptables-save | grep -e '-PORTS -p' || true
find /sys/fs/cgroup/gantry -mindepth 1 -type d 2>/dev/null | sed 's/^/control group /'
findmnt -rno TARGET | grep /io.containerd.runtime.v2.task/ || true
(pgrep -x containerd-shim || true) | sed 's/^/shim /'`;
