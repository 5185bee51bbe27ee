/**
 * The OCI runtime specification of a container: every choice about what it is, in one value. Pure: what depends on the machine
 * or on the image's files is given.
 */
import type { ContainerSpec, TaskSpec } from '../../core/model/task-spec.ts';
import { boundingCapabilities, processCapabilities } from './capabilities.ts';
import { containerMounts, type EtcFiles, maskedPaths, readonlyPaths } from './mounts.ts';
import { type ImageDefaults, processArgs, processEnvironment, workingDirectory } from './process.ts';
import { containerResources } from './resources.ts';
import { type LimitCeilings, rlimits } from './rlimits.ts';
import type { ProcessUser, RuntimeSpec, SpecNamespace } from './runtime-spec.ts';
import { seccompProfile } from './seccomp.ts';

/** What of the machine a container's specification depends on. */
export interface MachineFacts {
  /** As `process.arch`. */
  readonly architecture: string;
  /** As `os.release()`. */
  readonly kernelRelease: string;
  readonly cgroupVersion: 1 | 2;
  /** False where memory and swap cannot be limited together. */
  readonly swapLimits: boolean;
  /** False where the kernel knows no IPv6. */
  readonly ipv6: boolean;
  readonly limitCeilings: LimitCeilings;
}

/**
 * `host`: the host's own, the machine's where it has no path. `isolated`: a new one with nothing but loopback. `namespace`: one that
 * was made for this container.
 */
export type ContainerNetwork =
  | { readonly kind: 'host'; readonly path?: string | undefined }
  | { readonly kind: 'isolated' }
  | { readonly kind: 'namespace'; readonly path: string };

export interface SpecInput {
  readonly task: TaskSpec;
  readonly container: ContainerSpec;
  readonly image: ImageDefaults;
  readonly user: ProcessUser;
  readonly hostname: string;
  readonly network: ContainerNetwork;
  /** Where it asks for its task's metadata; absent where it cannot. */
  readonly metadataUri?: string | undefined;
  readonly etc: EtcFiles;
  /** Below the root of every cgroup hierarchy. */
  readonly cgroupsPath: string;
  /** Containers with the same one share a shim. */
  readonly shimGroup: string;
  readonly machine: MachineFacts;
}

const shimGroupAnnotation = 'io.containerd.runc.v2.group';

export function makeSpec(input: SpecInput): RuntimeSpec {
  const { task, container, image, user, machine } = input;
  const capabilities = boundingCapabilities(input.network);
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user,
      args: processArgs(container, image),
      env: processEnvironment(container, image, input),
      cwd: workingDirectory(container, image),
      capabilities: processCapabilities(user.uid, capabilities),
      rlimits: rlimits(container.ulimits, machine.limitCeilings),
      noNewPrivileges: false, // As Docker: sudo and the like work.
      oomScoreAdj: 0,
    },
    root: { path: 'rootfs', readonly: container.readonlyRootFilesystem },
    hostname: input.hostname,
    mounts: containerMounts(input.etc),
    annotations: { [shimGroupAnnotation]: input.shimGroup },
    linux: {
      namespaces: namespaces(input),
      cgroupsPath: input.cgroupsPath,
      resources: containerResources(task, container, machine),
      seccomp: seccompProfile({ ...machine, capabilities }),
      ...(input.network.kind === 'host' ? {} : { sysctl: networkSysctls(machine) }),
      maskedPaths,
      readonlyPaths,
    },
  };
}

function namespaces({ network, machine }: SpecInput): SpecNamespace[] {
  return [
    { type: 'mount' },
    { type: 'pid' },
    { type: 'ipc' },
    { type: 'uts' },
    ...networkNamespace(network),
    // With version 1 the container's own groups are mounted in its place, as Docker does it.
    ...(machine.cgroupVersion === 2 ? [{ type: 'cgroup' } as const] : []),
  ];
}

function networkNamespace(network: ContainerNetwork): SpecNamespace[] {
  if (network.kind === 'isolated') return [{ type: 'network' }];
  return network.path === undefined ? [] : [{ type: 'network', path: network.path }];
}

/** A port below 1024 and ping need no privilege in a network of one's own. */
function networkSysctls({ ipv6 }: MachineFacts): Record<string, string> {
  return {
    'net.ipv4.ip_unprivileged_port_start': '0',
    'net.ipv4.ping_group_range': '0 2147483647',
    // IPv6 is off until tasks get addresses of it.
    ...(ipv6 ? { 'net.ipv6.conf.all.disable_ipv6': '1', 'net.ipv6.conf.default.disable_ipv6': '1' } : {}),
  };
}
