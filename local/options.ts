/** What `gantry up` can be told, with its defaults; and where on the machine everything of one cloud is. */
import { join } from 'node:path';
import { z } from 'zod';
import { imagesSchema, registryMirrorsSchema } from '../agent/config.ts';
import { rateTextSchema } from '../control/http/throttle.ts';

const absolutePath = z.string().startsWith('/', 'must be an absolute path');

/** Each has a third octet and an address of its own. */
const maxHosts = 50;

export const cloudOptionsSchema = z.object({
  /** Prefix of bridge, chains, network namespaces and cgroup: several clouds can live on one machine under different names. */
  name: z
    .string()
    .regex(/^[a-z][a-z0-9]{0,8}$/, 'must be at most 9 lower-case letters and digits, beginning with a letter')
    .default('gantry'),
  dataDir: absolutePath.default('/var/lib/gantry'),
  runDir: absolutePath.default('/run/gantry'),
  listen: z.string().default('127.0.0.1'),
  port: z.number().int().min(1).max(65535).default(8080),
  tls: z.boolean().default(false),
  /** PEM files; absent: a certificate of the control plane's own. */
  tlsCertificate: absolutePath.optional(),
  tlsKey: absolutePath.optional(),
  /** More names and addresses that the certificate of its own is to have. */
  tlsNames: z.array(z.string().min(1)).default([]),
  /** Beyond this machine without TLS. */
  plainHttp: z.boolean().default(false),
  /** Absent: one host in the machine's own network namespace. */
  hosts: z.number().int().min(1).max(maxHosts).optional(),
  /** Instead of `hosts`: they come and go with the tasks that wait, each with 1/max of the machine. */
  fleet: z
    .object({ min: z.number().int().min(0), max: z.number().int().max(maxHosts) })
    .refine(({ min, max }) => min <= max, 'must not have more hosts at least than at most')
    .optional(),
  /** For how long a host of the fleet stays without tasks. */
  fleetIdleSeconds: z.number().nonnegative().default(10),
  store: z.enum(['sqlite', 'dynamodb']).default('sqlite'),
  dynamodbEndpoint: z.url().optional(),
  dynamodbTable: z.string().default('gantry'),
  auth: z.enum(['sigv4', 'none']).default('sigv4'),
  region: z.string().default('us-east-1'),
  accountId: z
    .string()
    .regex(/^\d{12}$/, 'must be twelve digits')
    .default('000000000000'),
  /** How often one access key may call, a second and at once. */
  readRate: rateTextSchema.optional(),
  mutationRate: rateTextSchema.optional(),
  heartbeatSeconds: z.number().positive().default(5),
  /** For how long stopped tasks can be looked at. */
  retentionDays: z.number().int().min(1).max(3650).default(7),
  /** For how long the audit log keeps calls; 0: there is none. */
  auditDays: z.number().int().min(0).max(3650).default(90),
  /** Who may read metrics without a signature: this machine alone, or whoever reaches the port. */
  metrics: z.enum(['local', 'open']).default('local'),
  /** Where webhooks may be sent to. */
  webhookAddresses: z.enum(['public', 'private']).default('private'),
  registryMirrors: registryMirrorsSchema,
  imagePullBehavior: imagesSchema.shape.pullBehavior,
  /** The first two octets of the networks that the cloud's bridges use. */
  network: z
    .string()
    .regex(/^\d{1,3}\.\d{1,3}$/, 'must be the first two octets of a /16, for example 10.213')
    .default('10.213'),
});
export type CloudOptions = z.infer<typeof cloudOptionsSchema>;

export const cloudPaths = ({ dataDir, runDir }: Pick<CloudOptions, 'dataDir' | 'runDir'>) => ({
  dataDir,
  runDir,
  database: join(dataDir, 'gantry.db'),
  /** Secret of the first access key; mode 0600. */
  credentials: join(dataDir, 'credentials.json'),
  /** Opens the secrets of all access keys in the store; mode 0600. */
  dataKey: join(dataDir, 'data-key'),
  /** The authority of the control plane's own, which clients are told to trust, and what it has issued; keys have mode 0600. */
  tls: {
    directory: join(dataDir, 'tls'),
    authority: join(dataDir, 'tls', 'ca.pem'),
    authorityKey: join(dataDir, 'tls', 'ca-key.pem'),
    server: join(dataDir, 'tls', 'server.pem'),
    serverKey: join(dataDir, 'tls', 'server-key.pem'),
  },
  /** Admits the hosts of this machine; mode 0600. */
  joinToken: join(dataDir, 'join-token'),
  /** What a command line on this machine needs to reach the cloud; mode 0600. */
  context: join(runDir, 'context.json'),
  /** There while everything is up and every host has connected since the start. */
  ready: join(runDir, 'ready'),
  /** The registry on loopback that serves images where no public one can be reached. */
  registry: join(dataDir, 'registry'),
  detachedOptions: join(runDir, 'up.json'),
  supervisorPid: join(runDir, 'up.pid'),
  supervisorLog: join(dataDir, 'up.log'),
  serverConfig: join(runDir, 'server.json'),
  serverPid: join(runDir, 'server.pid'),
  serverLog: join(dataDir, 'server.log'),
  /** What was launched of the fleet. */
  fleet: join(dataDir, 'fleet'),
  hostData: (host: string) => join(dataDir, 'hosts', host),
  /** runc's root of a host. */
  runcRoot: (host: string) => join(runDir, 'runc', host),
  agentConfig: (host: string) => join(runDir, `agent-${host}.json`),
  agentPid: (host: string) => join(runDir, `agent-${host}.pid`),
  agentLog: (host: string) => join(dataDir, 'hosts', host, 'agent.log'),
});
export type CloudPaths = ReturnType<typeof cloudPaths>;
