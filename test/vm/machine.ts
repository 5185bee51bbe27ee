/** A virtual machine with this repository in it, for one test file: made, booted, told of on standard output, and taken away with its disks. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Guest, type GuestOptions } from '../guest/guest.ts';
import { guestImage } from '../guest/image.ts';
import { network } from '../guest/network.ts';
import { makeRepositoryDisk, mountRepository, repositoryInGuest } from './repository-disk.ts';

const privateIp = '172.31.0.10';

/** Of the repository's Node and tools, in the guest. */
export const guestPath = `${repositoryInGuest}/node_modules/.bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;

export interface MachineOptions {
  /** For what is printed. */
  readonly name: string;
  readonly memoryMib: number;
  /** Names and ports at which the guest reaches this machine's loopback. */
  readonly lends?: readonly { readonly name: string; readonly port: number; readonly loopbackPort: number }[];
  readonly publishes?: GuestOptions['publishes'];
  /** Made in the directory before the first boot; each is one more disk, from /dev/vdc on. */
  readonly disks?: (directory: string) => readonly string[];
}

export interface Machine extends AsyncDisposable {
  readonly guest: Guest;
  readonly directory: string;
  say(line: string): void;
  /** Boots it, also after a power cut. */
  boot(): Promise<void>;
  /** Runs it with `sh -e` and answers what it wrote; a code other than 0 is an error. */
  sh(script: string): Promise<string>;
  /** The end of its console, for a failure's sake. */
  tellConsole(): void;
}

/** Switched off. */
export function makeMachine({ name, memoryMib, lends = [], publishes = [], disks }: MachineOptions): Machine {
  const began = performance.now();
  const say = (line: string): void => {
    const seconds = ((performance.now() - began) / 1000).toFixed(1).padStart(6);
    process.stdout.write(`[${name} ${seconds} s] ${line}\n`);
  };
  const image = guestImage(say);
  const directory = mkdtempSync('/var/tmp/gantry-vm-');
  const guest = new Guest({
    image,
    directory,
    vcpus: 2,
    memoryMib,
    privateIp,
    names: ['lent.example', ...new Set(lends.map((lent) => lent.name))],
    reaches: lends.map(({ port, loopbackPort }) => ({ address: network.lent, port, loopbackPort })),
    publishes,
    disks: [makeRepositoryDisk(directory), ...(disks?.(directory) ?? [])],
  });
  const sh = async (script: string): Promise<string> => {
    const { code, stdout, stderr } = await guest.run(`set -e; export PATH=${guestPath}\n${script}`);
    if (code !== 0) throw new Error(`in the guest ended with ${code}:\n${script}\n${stdout}${stderr}`);
    return stdout.trim();
  };
  return {
    guest,
    directory,
    say,
    sh,
    async boot() {
      await guest.powerOn();
      await sh(mountRepository);
      // It answers before all is started; whether a unit failed is the tests' to say.
      await guest.run('systemctl is-system-running --wait');
      say('the machine is on');
    },
    tellConsole: () => process.stdout.write(`The console of ${name}, at the end:\n${lastLines(guest.consoleLog)}\n`),
    async [Symbol.asyncDispose]() {
      await guest[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const lastLines = (file: string): string =>
  existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(-120).join('\n') : 'It was never on.';
