/**
 * What an agent is told when it starts: a JSON file, parsed here and nowhere else. Owns the shapes (a machine that is told everything, an
 * instance of EC2 that asks what it is), their defaults and the sentence that says what is wrong; never reads the environment (main.ts
 * does) and knows nothing of what the values are used for.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { namePattern } from '../core/model/cluster.ts';
import { hostAttributesSchema, hostNamePattern } from '../core/model/host.ts';
import { hostPortSchema } from '../core/model/resources.ts';

const absolutePath = z.string().regex(/^\//, 'must be an absolute path');

/** Linux limits an interface's name to 15 bytes. */
const interfaceName = z
  .string()
  .regex(/^[a-zA-Z0-9._-]{1,15}$/, 'must be 1 to 15 letters, digits, dots, hyphens or underscores');

const networkConfigSchema = z.strictObject({
  /** Path of the network namespace that is the host's network; absent: the machine's own. */
  netns: absolutePath.optional(),
  /** The bridge that tasks in bridge mode are attached to. */
  bridge: interfaceName,
  /** Addresses of tasks in bridge mode; the first one is the bridge's own. */
  subnet: z.cidrv4(),
  /** Beginning of the names of the host's own iptables chains (28 characters at most in all). */
  chainPrefix: z.string().regex(/^[A-Z0-9-]{1,16}$/, 'must be 1 to 16 capitals, digits or hyphens'),
  /** The address at which published ports are reached. */
  hostAddress: z.ipv4(),
  /** Name servers of containers in bridge mode; absent: those of the machine that a container can reach. */
  nameServers: z.array(z.string()).optional(),
});
export type NetworkConfig = z.infer<typeof networkConfigSchema>;

const mirrorSchema = z.url({ protocol: /^https?$/ });

/**
 * Where a registry is asked first, by its name in images' references (`host[:port]`): caches, or addresses inside a network, in the order
 * in which they are tried; the registry itself comes last. They get the credentials of the registry that they stand for.
 */
export const registryMirrorsSchema = z
  .record(
    z.string(),
    z.union([mirrorSchema.transform((url) => [url]), z.array(mirrorSchema)]), // One alone, as it was written at first.
  )
  .default({});

/** How images come onto this host, and how long they stay: docs/images.md. */
export const imagesSchema = z.strictObject({
  /** As ECS' ECS_IMAGE_PULL_BEHAVIOR. */
  pullBehavior: z.enum(['default', 'always', 'once', 'prefer-cached']).default('default'),
  /** Layers that are downloaded at once to this host, and of these from one registry. */
  maxDownloads: z.number().int().positive().default(8),
  maxDownloadsPerRegistry: z.number().int().positive().default(6),
  /** Images that no task has used for this long are removed; a week where absent. */
  keepUnusedHours: z.number().positive().default(168),
  /** Where more of the disk is used, the longest unused images are removed until it is no more than the other. */
  diskHighPercent: z.number().min(1).max(100).default(85),
  diskLowPercent: z.number().min(0).max(99).default(80),
});

export const runtimeConfigSchema = z.strictObject({
  /** containerd's gRPC socket. */
  socket: absolutePath,
  /** The containerd namespace that is this host's. */
  namespace: z.string().regex(/^[a-zA-Z0-9]+(?:[._-][a-zA-Z0-9]+)*$/),
  /** runc's root: must not be shared with another host on this machine. */
  runtimeRoot: absolutePath,
  /** Where the runtime keeps logs and what it must remember of tasks. */
  stateDirectory: absolutePath,
  /** Below the root of every cgroup hierarchy, for example `/gantry/host-1`. */
  cgroupParent: absolutePath,
  network: networkConfigSchema,
  /** Where logs of the driver awslogs are sent, in place of AWS' own (also AWS_ENDPOINT_URL_CLOUDWATCH_LOGS). */
  cloudWatchLogsEndpoint: z.url({ protocol: /^https?$/ }).optional(),
  /** `host:port` of registries that are spoken to over plain HTTP. Loopback ones always are where they do not speak TLS. */
  insecureRegistries: z.array(z.string()).default([]),
  registryMirrors: registryMirrorsSchema,
  /** By registry, `host[:port]`. */
  registryCredentials: z.record(z.string(), z.strictObject({ username: z.string(), password: z.string() })).default({}),
  images: imagesSchema.prefault({}),
});
/** What `createContainerdRuntime` takes. */
export type RuntimeConfig = z.infer<typeof runtimeConfigSchema>;

/** What every agent is told. */
const commonShape = {
  /** Where the control plane is reached, for example `http://127.0.0.1:8080`. */
  controlPlaneUrl: z.url({ protocol: /^https?$/ }),
  /** PEM: trusted beside what the machine trusts. Of a control plane whose certificate is from an authority of its own. */
  certificateAuthority: z.string().optional(),
  cluster: z.string().regex(namePattern),
  attributes: hostAttributesSchema.default({}),
  pidFile: absolutePath.optional(),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
};

const hostConfigSchema = z.strictObject({
  ...commonShape,
  /** What people call this host; unique in its cluster. */
  hostName: z.string().regex(hostNamePattern),
  /** The address at which published ports are reached, as the API shows it. */
  address: z.string().min(1),
  /** What tasks may take of this host: 1024 units are one vCPU. */
  cpuUnits: z.number().int().positive(),
  memoryMib: z.number().int().positive(),
  /** Host ports that tasks must not take, for example `tcp/22`. */
  reservedPorts: z.array(hostPortSchema).default([]),
  /** The agent's own directory (key, ledger), made where it is missing, readable by root alone. */
  dataDirectory: absolutePath,
  runtime: runtimeConfigSchema,
});
/** A host with everything that its agent must know of it. */
export type HostConfig = z.infer<typeof hostConfigSchema>;

/** A machine that is told everything, and was admitted already or joins by a token. */
const machineConfigSchema = hostConfigSchema.extend({
  platform: z.literal('machine').optional(),
  /** Admits this host's key the first time. */
  joinToken: z.string().optional(),
});

/**
 * An instance of EC2: instance metadata says its name (the instance id), address and kind, and its role admits it. What is not said is
 * as the launch template's machines have it.
 */
const ec2ConfigSchema = z.strictObject({
  ...commonShape,
  platform: z.literal('ec2'),
  /**
   * Kept for what is no task: the system, containerd, the agent. Absent: a twentieth of the machine's memory, at least 256 MiB and at
   * most 1024. CPU is shared by weight, so none is kept.
   */
  reservedMemoryMib: z.number().int().nonnegative().optional(),
  reservedPorts: z.array(hostPortSchema).default(['tcp/22']),
  dataDirectory: absolutePath.default('/var/lib/gantry/agent'),
  runtime: runtimeConfigSchema
    .extend({
      socket: absolutePath.default('/run/gantry/containerd/containerd.sock'),
      namespace: runtimeConfigSchema.shape.namespace.default('gantry'),
      runtimeRoot: absolutePath.default('/run/gantry/runc'),
      stateDirectory: absolutePath.default('/var/lib/gantry/agent/runtime'),
      cgroupParent: absolutePath.default('/gantry'),
      network: networkConfigSchema
        .omit({ hostAddress: true })
        .extend({
          bridge: interfaceName.default('gantry0'),
          // Docker's: the one network that whoever plans a VPC has been told to leave free.
          subnet: networkConfigSchema.shape.subnet.default('172.17.0.0/16'),
          chainPrefix: networkConfigSchema.shape.chainPrefix.default('GANTRY'),
        })
        .prefault({}),
    })
    .prefault({}),
});
export type Ec2AgentConfig = z.infer<typeof ec2ConfigSchema>;

const agentConfigSchema = z.discriminatedUnion('platform', [machineConfigSchema, ec2ConfigSchema]);
export type AgentConfig = z.infer<typeof agentConfigSchema>;
/** What whoever starts an agent on a machine writes into its file. */
export type AgentConfigFile = z.input<typeof machineConfigSchema>;

/** Reads and checks the file. Throws an Error whose message names the file and every member at fault. */
export function readAgentConfig(path: string): AgentConfig {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown error';
    throw new Error(`The agent's configuration ${path} cannot be read: ${why}`, { cause: error });
  }
  const parsed = agentConfigSchema.safeParse(content);
  if (!parsed.success) throw new Error(`The agent's configuration ${path} is wrong:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
