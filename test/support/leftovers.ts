/** What a cloud has on this machine beside its data, by its name: all of it must be gone when it is taken down. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Network namespaces, links, firewall rules, cgroups and mounts, one line each. */
export function leftoversOf(cloud: {
  readonly name: string;
  readonly dataDir: string;
  readonly runDir: string;
}): string[] {
  const { name, dataDir, runDir } = cloud;
  const mine = new RegExp(`(^|[^a-z0-9])${name}([^a-z0-9]|0|$)`, 'i');
  return [
    ...namespaces()
      .filter((netns) => netns.startsWith(`${name}-`))
      .map((netns) => `network namespace ${netns}`),
    ...readdirSync('/sys/class/net')
      .filter((link) => mine.test(link))
      .map((link) => `link ${link}`),
    ...firewallRules()
      .filter((rule) => mine.test(rule))
      .map((rule) => `firewall rule ${rule}`),
    ...cgroups(name),
    ...mounts()
      .filter((point) => point.startsWith(dataDir) || point.startsWith(runDir))
      .map((point) => `mount ${point}`),
  ];
}

/** What single tasks leave while the cloud stays up: groups and namespaces of tasks, not those of hosts. */
export function taskLeftoversOf(cloud: {
  readonly name: string;
  readonly dataDir: string;
  readonly runDir: string;
}): string[] {
  return leftoversOf(cloud).filter((line) => /[0-9a-f]{32}/.test(line));
}

const namespaces = (): string[] => (existsSync('/run/netns') ? readdirSync('/run/netns') : []);

const firewallRules = (): string[] => execFileSync('iptables-save', { encoding: 'utf8' }).split('\n');

function cgroups(name: string): string[] {
  const hierarchies = ['', ...readdirSync('/sys/fs/cgroup')].map((hierarchy) => join('/sys/fs/cgroup', hierarchy));
  return hierarchies
    .map((hierarchy) => join(hierarchy, name))
    .filter((group) => existsSync(group))
    .flatMap((group) => [
      `cgroup ${group}`,
      ...readdirSync(group, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => `cgroup ${join(entry.parentPath, entry.name)}`),
    ]);
}

const mounts = (): string[] =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '');
