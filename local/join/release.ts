/**
 * The agent's release on a host with systemd: its files and a Node of its own in a directory named after what is in it, as on EC2
 * (lib/host), and the release's own script that makes it the one that runs. Decides nothing about hosts.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { hostToolsPath } from '../containerd.ts';

const run = promisify(execFile);

export const units = ['gantry-agent.service', 'gantry-containerd.service'] as const;

/** `root` stands before every path: a test's directory, or nothing. */
export class Releases {
  readonly #root: string;
  readonly #env: NodeJS.ProcessEnv;

  constructor(root = '', path: string = hostToolsPath()) {
    this.#root = root;
    this.#env = { PATH: path, DESTDIR: root, GANTRY_UPDATES: 'no' };
  }

  get #prefix(): string {
    return join(this.#root, '/opt/gantry');
  }

  /** Leaves it there, whole or not at all; answers its name. */
  place(files: string, node: string): string {
    const name = digestOf(files, node);
    const target = join(this.#prefix, name);
    if (existsSync(target)) return name;
    const incoming = join(this.#prefix, '.incoming');
    rmSync(incoming, { recursive: true, force: true });
    mkdirSync(join(incoming, 'bin'), { recursive: true, mode: 0o755 });
    cpSync(files, incoming, { recursive: true });
    copyFileSync(node, join(incoming, 'bin', 'node'));
    chmodSync(join(incoming, 'bin', 'node'), 0o755);
    renameSync(incoming, target);
    return name;
  }

  /** The one that runs, or is to run. */
  current(): string | undefined {
    try {
      return basename(readlinkSync(join(this.#prefix, 'current')));
    } catch {
      return undefined;
    }
  }

  /** Makes it the one that runs: the agent starts anew, containers run on. Throws an Error with what the script said. */
  async install(name: string): Promise<void> {
    await this.#run('/bin/sh', [join(this.#prefix, name, 'install.sh')]);
  }

  /** Puts the release that ran before in its place again. */
  async rollBack(name: string): Promise<void> {
    const link = join(this.#prefix, '.current');
    rmSync(link, { force: true });
    symlinkSync(join(this.#prefix, name), link);
    renameSync(link, join(this.#prefix, 'current'));
    await this.#run('systemctl', ['restart', 'gantry-agent.service']);
  }

  async isActive(unit: (typeof units)[number]): Promise<boolean> {
    return (await this.#run('systemctl', ['is-active', '--quiet', unit]).catch(() => undefined)) !== undefined;
  }

  /** That nothing starts them any more. Fine where there are none. */
  async stop(unit: (typeof units)[number]): Promise<void> {
    if (existsSync(this.#unit(unit))) await this.#run('systemctl', ['disable', '--now', '--quiet', unit]);
  }

  /** Units, releases and what containerd is told; nothing of an updater, and no program that set-up brought. */
  async remove(): Promise<void> {
    for (const unit of units) await this.stop(unit);
    const hadUnits = units.some((unit) => existsSync(this.#unit(unit)));
    for (const unit of units) rmSync(this.#unit(unit), { force: true });
    if (hadUnits) await this.#run('systemctl', ['daemon-reload']);
    rmSync(join(this.#root, '/etc/gantry/containerd.toml'), { force: true });
    for (const name of existsSync(this.#prefix) ? readdirSync(this.#prefix) : [])
      if (/^(?:[0-9a-f]{64}|current|installed|\.incoming|\.current|\.installed)$/.test(name))
        rmSync(join(this.#prefix, name), { recursive: true, force: true });
  }

  /** The command that installs what brings these binaries; undefined on a distribution that is not known. */
  async installCommand(files: string, binaries: readonly string[]): Promise<string | undefined> {
    const script = '. "$0/packages.sh"; say_install "$@"';
    try {
      return (await this.#run('/bin/sh', ['-euc', script, files, ...binaries])).trim();
    } catch {
      return undefined;
    }
  }

  async installPackages(files: string, binaries: readonly string[]): Promise<void> {
    await this.#run('/bin/sh', ['-euc', '. "$0/packages.sh"; install_missing "$@"', files, ...binaries]);
  }

  #unit(name: string): string {
    return join(this.#root, '/etc/systemd/system', name);
  }

  async #run(command: string, args: readonly string[]): Promise<string> {
    try {
      return (await run(command, [...args], { env: this.#env })).stdout;
    } catch (error) {
      const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
      const what = [basename(command), ...args].join(' ');
      throw new Error(`\`${what}\` failed${said === '' ? '.' : `:\n${said}`}`, { cause: error });
    }
  }
}

function digestOf(files: string, node: string): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(files).toSorted()) hash.update(`${name}\0`).update(readFileSync(join(files, name)));
  return hash.update(readFileSync(node)).digest('hex');
}
