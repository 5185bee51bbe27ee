/**
 * What `gantry join` can be told of a host, by flags, a file or the join before; and where everything of a joined host is on its machine.
 * Asks the machine nothing.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { imagesSchema, registryMirrorsSchema } from '../../agent/config.ts';
import { defaultClusterName, namePattern } from '../../core/model/cluster.ts';
import { hostAttributesSchema, hostNamePattern } from '../../core/model/host.ts';
import { hostPortSchema } from '../../core/model/resources.ts';
import { containerdPaths } from '../containerd.ts';

const absolutePath = z.string().startsWith('/', 'must be an absolute path');

/** Also the form of `--file`, and of what is kept of a join for the next one. */
export const hostOptionsSchema = z.strictObject({
  /** Of the control plane, as this machine reaches it. */
  url: z.url({ protocol: /^https?$/, error: 'must be a URL that begins with https:// or http://' }),
  cluster: z.string().regex(namePattern).default(defaultClusterName),
  /** Absent: the machine's. */
  name: z
    .string()
    .regex(hostNamePattern, 'must be letters, digits, dots, hyphens and underscores, beginning with a letter or digit')
    .optional(),
  /** Where published ports are reached. Absent: the address by which it reaches the control plane. */
  address: z.string().min(1).optional(),
  attributes: hostAttributesSchema.default({}),
  /** Absent: as an instance of EC2 keeps for its system (core/model/host-reserve.ts). */
  reservedMemoryMib: z.number().int().nonnegative().optional(),
  /** 1024 are one vCPU. */
  reservedCpuUnits: z.number().int().nonnegative().default(0),
  reservedPorts: z.array(hostPortSchema).default(['tcp/22']),
  /** Of tasks in bridge mode; the same on every host. Not Docker's, which may be on the machine too. */
  subnet: z.cidrv4().default('10.213.0.0/16'),
  registryMirrors: registryMirrorsSchema,
  insecureRegistries: z.array(z.string()).default([]),
  images: imagesSchema.prefault({}),
});
export type HostOptions = z.infer<typeof hostOptionsSchema>;

export const placesSchema = z.object({
  dataDir: absolutePath.default('/var/lib/gantry'),
  runDir: absolutePath.default('/run/gantry'),
  /** Of bridge, chains, cgroup and containerd namespace: several hosts can be on one machine under different ones. */
  prefix: z
    .string()
    .regex(/^[a-z][a-z0-9]{0,8}$/, 'must be at most 9 lower-case letters and digits, beginning with a letter')
    .default('gantry'),
});
export type Places = z.infer<typeof placesSchema>;

const usualPlaces = placesSchema.parse({});

/** Those of the units, which are written for them. */
export const areUsual = ({ dataDir, runDir, prefix }: Places): boolean =>
  dataDir === usualPlaces.dataDir && runDir === usualPlaces.runDir && prefix === usualPlaces.prefix;

export function joinPaths({ dataDir, runDir }: Pick<Places, 'dataDir' | 'runDir'>) {
  const configDir = dataDir === usualPlaces.dataDir ? '/etc/gantry' : dataDir;
  return {
    dataDir,
    runDir,
    configDir,
    /** What was said of the host. */
    options: join(configDir, 'host.json'),
    /** What follows for its agent; mode 0600. */
    config: join(configDir, 'agent.json'),
    /** Key, admission, ledger, logs. */
    agentData: join(dataDir, 'agent'),
    key: join(dataDir, 'agent', 'host-key.pem'),
    agentPid: join(runDir, 'agent.pid'),
    agentLog: join(dataDir, 'agent.log'),
    /** Without units. */
    containerd: containerdPaths(dataDir, runDir),
  };
}
export type JoinPaths = ReturnType<typeof joinPaths>;
