/**
 * A virtual machine with a disk of its own: started, run commands in, cut from power, and started again with what its disk then holds.
 * Its serial console is a file, which says why it did not come up. Never speaks to what is in it other than by QEMU's guest agent.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type CommandResult, GuestAgentLine } from './guest-agent.ts';
import type { GuestImage } from './image.ts';
import { parameters } from './image-recipe.ts';
import { network, subnetOf } from './network.ts';

export interface GuestOptions {
  readonly image: GuestImage;
  /** For its disk, its console's log and its sockets; must be short, as paths of sockets are. */
  readonly directory: string;
  /** Makes it an instance of EC2 for cloud-init, by its UUID, which begins with ec2; others have no cloud-init. */
  readonly ec2Uuid?: string;
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly privateIp: string;
  /** Of what the machine lends it, all at one address. */
  readonly names: readonly string[];
  /** What it reaches: ports on this machine's loopback. */
  readonly reaches: readonly {
    readonly address: string;
    readonly port: number;
    readonly loopbackPort: number;
  }[];
  /** Its ports that are reached on this machine's loopback. */
  readonly publishes?: readonly { readonly port: number; readonly loopbackPort: number }[];
  /** Beside its own, as QEMU's -drive takes them: /dev/vdb and on. */
  readonly disks?: readonly string[];
}

const bootTimeoutMs = 240_000;

export class Guest implements AsyncDisposable {
  readonly consoleLog: string;
  readonly #options: GuestOptions;
  readonly #disk: string;
  readonly #agentSocket: string;
  #process: ChildProcess | undefined;
  #line: GuestAgentLine | undefined;

  /** Switched off, with a disk as the image has it. */
  constructor(options: GuestOptions) {
    this.#options = options;
    this.consoleLog = join(options.directory, 'console.log');
    this.#disk = join(options.directory, 'disk.qcow2');
    this.#agentSocket = join(options.directory, 'agent.sock');
    const layer = ['-f', 'qcow2', '-b', options.image.disk, '-F', 'raw'];
    execFileSync('qemu-img', ['create', '-q', ...layer, this.#disk]);
  }

  /** Resolves once commands can be run in it, which is before it has finished booting. */
  async powerOn(): Promise<void> {
    rmSync(this.#agentSocket, { force: true });
    // It ends with the test's process, however that ends.
    const command = ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...this.#arguments()];
    const child = spawn('setpriv', command, { stdio: ['ignore', 'pipe', 'pipe'] });
    const log = createWriteStream(this.consoleLog, { flags: 'a' });
    for (const stream of [child.stdout, child.stderr]) stream.pipe(log, { end: false });
    this.#process = child;
    const ended = once(child, 'exit').then(([code]) => {
      log.end();
      throw new Error(`The virtual machine ended with ${code}; its console: ${this.consoleLog}`);
    });
    ended.catch(() => undefined);
    await Promise.race([ended, this.#listens(child)]);
    const line = GuestAgentLine.open(this.#agentSocket, AbortSignal.timeout(bootTimeoutMs));
    this.#line = await Promise.race([ended, line]);
  }

  /** As when the plug is pulled: what the guest had not written to its disk is lost. */
  async cutPower(): Promise<void> {
    this.#line?.[Symbol.dispose]();
    this.#line = undefined;
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** Runs `sh -c` in it to its end; a code other than 0 is an answer. */
  run(script: string): Promise<CommandResult> {
    if (this.#line === undefined) throw new Error('The virtual machine is off.');
    return this.#line.run(script);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cutPower();
    rmSync(this.#disk, { force: true });
  }

  /** QEMU makes the socket of the guest's agent before the machine starts, and says so by its monitor's first line. */
  async #listens(child: ChildProcess): Promise<void> {
    const monitor = child.stdio[1];
    if (monitor === null || monitor === undefined) throw new Error('QEMU has a standard output');
    await once(monitor, 'data');
  }

  #arguments(): string[] {
    const { image, ec2Uuid, vcpus, memoryMib, disks = [] } = this.#options;
    return [
      // The machines that this runs on may have KVM that hangs: software emulation always works.
      // One thread for all its processors: with one each, Node died in it twice in three runs (a check of V8's code pages, SIGSEGV).
      ['-accel', 'tcg,thread=single', '-smp', `${vcpus}`, '-m', `${memoryMib}`, '-nographic', '-no-reboot'],
      ['-kernel', image.kernel, '-initrd', image.initrd, '-append', this.#kernelParameters().join(' ')],
      ['-drive', `file=${this.#disk},format=qcow2,if=virtio`, '-device', 'virtio-rng-pci'],
      disks.flatMap((disk) => ['-drive', `${disk},if=virtio`]),
      ec2Uuid === undefined ? [] : ['-smbios', `type=1,manufacturer=Amazon EC2,uuid=${ec2Uuid},serial=${ec2Uuid}`],
      ['-nic', this.#nic().join(',')],
      ['-chardev', `socket,id=agent,path=${this.#agentSocket},server=on,wait=off`, '-device', 'virtio-serial'],
      ['-device', 'virtserialport,chardev=agent,name=org.qemu.guest_agent.0'],
    ].flat();
  }

  #kernelParameters(): string[] {
    const { ec2Uuid, privateIp, names } = this.#options;
    const subnet = subnetOf(privateIp);
    return [
      ['root=/dev/vda', 'rw', 'console=ttyS0', 'quiet', 'panic=-1', 'net.ifnames=0', 'mitigations=off'],
      ec2Uuid === undefined ? ['cloud-init=disabled'] : [],
      `${parameters.names}=${names.join(',')}`,
      `${parameters.address}=${privateIp}/${subnet.prefix}`,
      `${parameters.router}=${subnet.router}`,
    ].flat();
  }

  #nic(): string[] {
    const { privateIp, reaches, publishes = [] } = this.#options;
    return [
      `user,model=virtio-net-pci,mac=${network.interface.mac}`,
      `net=${network.qemu},host=${subnetOf(privateIp).router},dhcpstart=${privateIp}`,
      // Nothing but what is forwarded exists, this machine's own instance metadata least of all.
      'restrict=on',
      ...reaches.map(
        ({ address, port, loopbackPort }) =>
          `guestfwd=tcp:${address}:${port}-cmd:socat - TCP4\\:127.0.0.1\\:${loopbackPort}`,
      ),
      ...publishes.map(({ port, loopbackPort }) => `hostfwd=tcp:127.0.0.1:${loopbackPort}-${privateIp}:${port}`),
    ];
  }
}
