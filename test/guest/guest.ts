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
  /** cloud-init takes it for an instance of EC2 by its UUID, which begins with ec2. */
  readonly uuid: string;
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly privateIp: string;
  /** Ports on this machine's loopback that stand for instance metadata and for AWS' names at port 443. */
  readonly metadataPort: number;
  readonly awsPort: number;
  readonly names: readonly string[];
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
    const { image, uuid, vcpus, memoryMib, privateIp, metadataPort, awsPort, names } = this.#options;
    const subnet = subnetOf(privateIp);
    const joined = (address: string, port: number, to: number): string =>
      `guestfwd=tcp:${address}:${port}-cmd:socat - TCP4\\:127.0.0.1\\:${to}`;
    const append = [
      ['root=/dev/vda', 'rw', 'console=ttyS0', 'quiet', 'panic=-1', 'net.ifnames=0', 'mitigations=off'],
      `${parameters.names}=${names.join(',')}`,
      `${parameters.address}=${privateIp}/${subnet.prefix}`,
      `${parameters.router}=${subnet.router}`,
    ];
    const nic = [
      `user,model=virtio-net-pci,mac=${network.interface.mac}`,
      `net=${network.qemu},host=${subnet.router},dhcpstart=${privateIp}`,
      // Nothing but what is forwarded exists, this machine's own instance metadata least of all.
      'restrict=on',
      joined(network.metadata, 80, metadataPort),
      joined(network.aws, 443, awsPort),
    ];
    return [
      // The machines that this runs on may have KVM that hangs: software emulation always works.
      ['-accel', 'tcg,thread=multi', '-smp', `${vcpus}`, '-m', `${memoryMib}`, '-nographic', '-no-reboot'],
      ['-kernel', image.kernel, '-initrd', image.initrd, '-append', append.flat().join(' ')],
      ['-drive', `file=${this.#disk},format=qcow2,if=virtio`, '-device', 'virtio-rng-pci'],
      ['-smbios', `type=1,manufacturer=Amazon EC2,uuid=${uuid},serial=${uuid}`],
      ['-nic', nic.join(',')],
      ['-chardev', `socket,id=agent,path=${this.#agentSocket},server=on,wait=off`, '-device', 'virtio-serial'],
      ['-device', 'virtserialport,chardev=agent,name=org.qemu.guest_agent.0'],
    ].flat();
  }
}
