/**
 * The messages between the control plane and an agent: register, fetch with ETag, report, handover, heartbeat, notice (its body is what EC2 said,
 * see ec2-notice.ts; it is answered once the host is drained, and may be sent again), and the frames of the two
 * WebSockets (wake-up, which carries no truth; channel, which carries logs and progress). Every request but `register` is signed by
 * the host's own Ed25519 key (RFC 9421, see `signatureParameters`). Each side understands its own version and the one before.
 */
import { z } from 'zod';
import { instanceProofSchema } from './instance-proof.ts';
import { hostContainerStatsSchema } from './model/container-stats.ts';
import { hostAttributesSchema, shownHostStatusSchema } from './model/host.ts';
import { hostImageSchema } from './model/host-image.ts';
import { hostPortSchema } from './model/resources.ts';
import { desiredSchema, logLineSchema, taskObservationSchema } from './model/task.ts';
import { taskSpecSchema } from './model/task-spec.ts';

/** 2: a host may leave by itself. */
export const protocolVersion = 2;
/** The control plane takes both; an agent says the older one where it is asked for it. */
export const oldestProtocolVersion = protocolVersion - 1;

/** Paths below the control plane's address. */
export const hostPaths = {
  register: '/hosts/v1/register',
  self: (hostId: string) => `/hosts/v1/${hostId}`,
  leave: (hostId: string) => `/hosts/v1/${hostId}/leave`,
  desired: (hostId: string) => `/hosts/v1/${hostId}/desired`,
  report: (hostId: string) => `/hosts/v1/${hostId}/report`,
  heartbeat: (hostId: string) => `/hosts/v1/${hostId}/heartbeat`,
  notice: (hostId: string) => `/hosts/v1/${hostId}/notice`,
  registryCredentials: (hostId: string) => `/hosts/v1/${hostId}/registry-credentials`,
  handover: (hostId: string) => `/hosts/v1/${hostId}/handover`,
  wake: (hostId: string) => `/hosts/v1/${hostId}/wake`,
  channel: (hostId: string) => `/hosts/v1/${hostId}/channel`,
} as const;

/**
 * RFC 9421 with a fixed profile: covered components `"@method" "@path" "content-digest"`, parameters `created` (seconds), `keyid`
 * (host id) and `alg="ed25519"`, label `gantry`; `content-digest` (RFC 9530) is `sha-256=:<base64>:` of the body, also of an empty one.
 * A WebSocket's upgrade request is a GET of the path of its URL, whatever that is.
 */
export const signatureParameters = {
  label: 'gantry',
  components: ['@method', '@path', 'content-digest'],
  algorithm: 'ed25519',
  /** A signature older or newer than this is refused. */
  maxSkewSeconds: 300,
} as const;

/**
 * Admits a host, or tells a known one (same public key) that it is back: then `hostId` is the same as before. The body carries the
 * public key that its own signature (keyid = the key in base64) is verified with, and what admits it: a join token, or the proof of an
 * instance's role (then `name` is the instance id). A known key needs neither.
 */
export const registerRequestSchema = z.object({
  protocolVersion: z.number().int(),
  token: z.string().optional(),
  instanceProof: instanceProofSchema.optional(),
  cluster: z.string(),
  name: z.string(),
  /** Ed25519, SPKI DER in base64. */
  publicKey: z.string(),
  address: z.string(),
  agentVersion: z.string(),
  cpuUnits: z.number().int().positive(),
  memoryMib: z.number().int().positive(),
  /** Host ports that tasks must not take. */
  reservedPorts: z.array(hostPortSchema),
  attributes: hostAttributesSchema,
});
export type RegisterRequest = z.infer<typeof registerRequestSchema>;

/**
 * `sockets`: absolute URLs (wss) where the two WebSockets are. Without `sockets` they are below the control plane's own address
 * (`hostPaths`), as they always were; with `sockets` and no `channel` there is none to dial.
 */
export const registerResponseSchema = z.object({
  hostId: z.string(),
  cluster: z.string(),
  storeEpoch: z.string(),
  heartbeatSeconds: z.number().positive(),
  sockets: z.object({ wake: z.string(), channel: z.string().optional() }).optional(),
});
export type RegisterResponse = z.infer<typeof registerResponseSchema>;

/** Answers `self` and `leave`: the host as the control plane has it now. */
export const hostSelfSchema = z.object({
  hostId: z.string(),
  name: z.string(),
  cluster: z.string(),
  status: shownHostStatusSchema,
  connected: z.boolean(),
  agentVersion: z.string(),
  /** Grows with each registration. */
  version: z.number().int(),
  /** Of its desired set: those that have not ended, or whose end it has not reported. */
  tasks: z.number().int(),
});
export type HostSelf = z.infer<typeof hostSelfSchema>;

/**
 * The host is to be none any more, once it has no task: `wait` for what runs, `stop` it, or give it up (`abandon`), which ends the host at
 * once. To be asked again until the answer says INACTIVE.
 */
export const leaveRequestSchema = z.object({ tasks: z.enum(['wait', 'stop', 'abandon']) });
export type LeaveRequest = z.infer<typeof leaveRequestSchema>;

/**
 * Answers a heartbeat: the ETag of the host's desired set as of now, so that the agent fetches only where it holds another. An older
 * control plane answers 204 without a body, and an older agent ignores the body: each then fetches on its timer.
 */
export const heartbeatResponseSchema = z.object({ etag: z.string() });
export type HeartbeatResponse = z.infer<typeof heartbeatResponseSchema>;

const desiredTaskSchema = z.object({ taskId: z.string(), desired: desiredSchema, spec: taskSpecSchema });
export type DesiredTask = z.infer<typeof desiredTaskSchema>;

/** What becomes of the tasks that a host has and a store does not: the store takes them over, or the host ends them. */
export const storeDecisionSchema = z.enum(['adopt', 'discard']);
export type StoreDecision = z.infer<typeof storeDecisionSchema>;

/**
 * The host's whole desired set, answered with an ETag of store epoch, host epoch and generation, the latter read before the set.
 * 304 where If-None-Match equals it.
 * A task that is in the agent's ledger and not in this set was forgotten on acknowledgement, or belongs to an unknown store epoch.
 */
export const desiredSetSchema = z.object({
  storeEpoch: z.string(),
  hostEpoch: z.number().int(),
  generation: z.number().int(),
  tasks: z.array(desiredTaskSchema),
  /** Of an operator, while the host's agent is said not to know this store. */
  decision: storeDecisionSchema.optional(),
});
export type DesiredSet = z.infer<typeof desiredSetSchema>;

const reportedTaskSchema = z.object({
  taskId: z.string(),
  /** `desired.version` that the agent has applied. */
  desiredVersion: z.number().int(),
  observation: taskObservationSchema,
});
export type ReportedTask = z.infer<typeof reportedTaskSchema>;

/** What changed since the last acknowledged report, or, with `full`, every task the agent knows of under this host epoch. */
export const reportRequestSchema = z.object({
  storeEpoch: z.string(),
  hostEpoch: z.number().int(),
  full: z.boolean(),
  tasks: z.array(reportedTaskSchema),
});
export type ReportRequest = z.infer<typeof reportRequestSchema>;

/**
 * `accepted`: stored (or already known, or overtaken by a verdict): never send this sequence again. `forget`: the task has left the
 * desired set for good; the agent removes what is left of it and its ledger entry.
 */
export const reportResponseSchema = z.object({
  accepted: z.array(z.object({ taskId: z.string(), sequence: z.number().int() })),
  forget: z.array(z.string()),
});
export type ReportResponse = z.infer<typeof reportResponseSchema>;

/** `publicKey`: of a key pair made for this one request: X25519, SPKI DER in base64. An older control plane answers 404. */
export const registryCredentialsRequestSchema = z.object({ name: z.string(), publicKey: z.string() });
export type RegistryCredentialsRequest = z.infer<typeof registryCredentialsRequestSchema>;

/**
 * `sealed`, in base64: nonce (12 bytes), what AES-256-GCM makes of the password, tag (16 bytes). Its key is HKDF-SHA256 (no salt, info
 * `passwordContext`) of what X25519 makes of the two key pairs; `publicKey` is the control plane's half, made for this one answer.
 */
const sealedPasswordSchema = z.object({ publicKey: z.string(), sealed: z.string() });
export type SealedPassword = z.infer<typeof sealedPasswordSchema>;
export const registryCredentialsAnswerSchema = z.object({
  registry: z.string(),
  username: z.string(),
  password: sealedPasswordSchema,
});
export type RegistryCredentialsAnswer = z.infer<typeof registryCredentialsAnswerSchema>;

/** What the key that seals a password is bound to. */
export const passwordContext = (of: {
  readonly hostId: string;
  readonly name: string;
  readonly askedWith: string;
  readonly answeredWith: string;
}): string => ['gantry registry password 1', of.hostId, of.name, of.askedWith, of.answeredWith].join('\n');

/** What a pull waits for that does not come along: a registry, or its turn. */
const pullWaitSchema = z.object({
  /** A clause: `127.0.0.1:5000 takes no connections (connection refused)`. */
  reason: z.string(),
  /** Epoch milliseconds by the host's clock. */
  nextTryAt: z.number().optional(),
  /** Which try the next one is, and how many there are. */
  attempt: z.number().int().optional(),
  attempts: z.number().int().optional(),
});
export type PullWait = z.infer<typeof pullWaitSchema>;

const handedTaskSchema = z.object({
  taskId: z.string(),
  spec: taskSpecSchema,
  desired: desiredSchema,
  observation: taskObservationSchema,
});
export type HandedTask = z.infer<typeof handedTaskSchema>;

/**
 * From an agent that is answered from a store that it does not know (another epoch, or one that was put back), instead of a report. Once it
 * is said what becomes of it, the store looks at `taskIds`, all that the agent has: what it has not is over, and is never started again.
 */
export const handoverRequestSchema = z.object({
  /** Of the store that answered. */
  storeEpoch: z.string(),
  taskIds: z.array(z.string()),
  /** Of those that the last answer named as unknown. */
  tasks: z.array(handedTaskSchema),
});
export type HandoverRequest = z.infer<typeof handoverRequestSchema>;

/**
 * No `decision`: wait. `unknown`: tasks that the store does not know, where they are to be adopted: hand them over, and ask again. With a
 * decision and nothing unknown the agent belongs to this store.
 */
export const handoverResponseSchema = z.object({
  decision: storeDecisionSchema.optional(),
  unknown: z.array(z.string()),
});
export type HandoverResponse = z.infer<typeof handoverResponseSchema>;

/** Pull progress, for display only: lost frames cost nothing. */
export const progressFrameSchema = z.object({
  kind: z.literal('progress'),
  taskId: z.string(),
  container: z.string(),
  image: z.string(),
  phase: z.enum(['resolving', 'downloading', 'unpacking', 'done']),
  layersDone: z.number().int(),
  layersTotal: z.number().int(),
  bytesDone: z.number(),
  bytesTotal: z.number(),
  waitsFor: pullWaitSchema.optional(),
});
export type ProgressFrame = z.infer<typeof progressFrameSchema>;

/** Agent to control plane on the channel. */
export const agentFrameSchema = z.discriminatedUnion('kind', [
  progressFrameSchema,
  z.object({ kind: z.literal('logs'), stream: z.string(), lines: z.array(logLineSchema) }),
  /** As many frames as it takes, and then `end`. */
  z.object({ kind: z.literal('images'), stream: z.string(), images: z.array(hostImageSchema) }),
  /** Likewise. */
  z.object({ kind: z.literal('stats'), stream: z.string(), containers: z.array(hostContainerStatsSchema) }),
  z.object({
    kind: z.literal('end'),
    stream: z.string(),
    error: z.string().optional(),
    /** The host has nothing under the name that was asked for. */
    isMissing: z.boolean().optional(),
  }),
]);
export type AgentFrame = z.infer<typeof agentFrameSchema>;

/** Control plane to agent on the channel. */
export const controlFrameSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('open-logs'),
    stream: z.string(),
    taskId: z.string(),
    /** All containers where absent. */
    container: z.string().optional(),
    follow: z.boolean(),
    /** Lines from the end to begin with; all where absent. */
    tail: z.number().int().nonnegative().optional(),
    /** Epoch milliseconds: only lines of then and later. An older agent sends all. */
    since: z.number().optional(),
  }),
  /** An older agent does not answer it. */
  z.object({ kind: z.literal('list-images'), stream: z.string() }),
  /** Likewise. Asks once for what runs: who wants rates asks again, so that nothing is read that nobody looks at. */
  z.object({ kind: z.literal('read-stats'), stream: z.string() }),
  z.object({ kind: z.literal('close'), stream: z.string() }),
]);
export type ControlFrame = z.infer<typeof controlFrameSchema>;
