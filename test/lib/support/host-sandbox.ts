/**
 * A directory that stands for a host's file system (DESTDIR), with a PATH on which systemd only notes what it was asked, and what a host
 * needs is there without being run. The scripts in it are the real ones.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { installation } from './synth.ts';

export const neededBinaries: readonly string[] = [
  'containerd',
  'containerd-shim-runc-v2',
  'runc',
  'ip',
  'iptables',
  'iptables-restore',
  'conntrack',
  'nsenter',
];

/** The text of a file of the installation. */
export const installed = (name: string): string => readFileSync(join(installation, name), 'utf8');

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class HostSandbox implements Disposable {
  readonly root: string = mkdtempSync(join(tmpdir(), 'gantry-host-'));
  readonly binaries: string = join(this.root, 'sandbox-bin');

  /** @param there what is there of what a host needs */
  constructor(there: readonly string[] = neededBinaries) {
    for (const name of there) this.placeBinary(name, 'exit 0');
    this.placeBinary('systemctl', this.notes('systemctl'));
    // It would wait for every disk of the machine.
    this.placeBinary('sync', 'exit 0');
    // To see what a command line shows to every process.
    this.placeBinary('curl', `${this.notes('curl')}\nexec /usr/bin/curl "$@"`);
  }

  /** Shell code that notes the arguments of the program, for `calls`. */
  notes(name: string): string {
    return `echo "$*" >>'${join(this.root, `${name}.calls`)}'`;
  }

  placeBinary(name: string, code: string): void {
    const path = this.write(join('sandbox-bin', name), `#!/bin/sh\n${code}\n`);
    chmodSync(path, 0o755);
  }

  /** How a program was called since the last time, a line each. */
  calls(name: string): string[] {
    const path = join(this.root, `${name}.calls`);
    if (!existsSync(path)) return [];
    const lines = readFileSync(path, 'utf8').trim().split('\n');
    rmSync(path);
    return lines;
  }

  write(path: string, content: string): string {
    const target = join(this.root, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content);
    return target;
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8');
  }

  async run(script: string, env: Readonly<Record<string, string>> = {}): Promise<Ended> {
    const child = spawn('/bin/sh', [script], {
      env: { PATH: `${this.binaries}:/usr/bin:/bin`, DESTDIR: this.root, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [stdout, stderr, [status]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    return { status, stdout, stderr };
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
