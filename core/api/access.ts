/** Inputs and outputs of the operations that say who may sign requests and what may become a host. ECS has none of them. */
import { z } from 'zod';
import { hostAccessKinds } from '../model/rights.ts';
import { allActions, defineOperation } from './operation.ts';
import { timestampSchema } from './shapes.ts';

const accessKeyMembers = {
  accessKeyId: z.string(),
  /** Whom requests that are signed with it are from. */
  principalArn: z.string(),
  actions: z.array(z.enum(allActions)),
  /** Absent where it may use all clusters. */
  clusters: z.array(z.string()).optional(),
  /** ARNs of the IAM roles that its tasks may take; `*` stands for any text. */
  taskRoles: z.array(z.string()),
  /** How its tasks may reach their host. */
  hostAccess: z.array(z.enum(hostAccessKinds)),
  /** So many of its tasks may wait in each cluster; any number where absent. */
  maxWaitingTasks: z.number().int().optional(),
  createdAt: timestampSchema,
};
const accessKeyViewSchema = z.object(accessKeyMembers).meta({ id: 'AccessKey' });

const instanceViewSchema = z
  .object({
    instanceId: z.string(),
    /** The host that it has become. */
    containerInstanceArn: z.string().optional(),
  })
  .meta({ id: 'AdmittedInstance' });

export const accessOperations = {
  CreateAccessKey: defineOperation({
    name: 'CreateAccessKey',
    summary: 'Makes a key that clients sign with; its secret is answered this once',
    action: 'administer',
    scope: 'store',
    input: z.object({
      /** Names the principal: `arn:aws:iam::ACCOUNT:user/USERNAME`. */
      userName: z.string(),
      actions: z.array(z.enum(allActions)),
      /** All clusters where absent. */
      clusters: z.array(z.string()).optional(),
      /** ARNs, or names, of the IAM roles that its tasks may take, with `*` for any text; none where absent. */
      taskRoles: z.array(z.string()).optional(),
      /** How its tasks may reach their host; not at all where absent. */
      hostAccess: z.array(z.enum(hostAccessKinds)).optional(),
      /** So many of its tasks may wait in each cluster; any number where absent. */
      maxWaitingTasks: z.number().int().optional(),
    }),
    output: z.object({ accessKey: accessKeyViewSchema, secretAccessKey: z.string() }),
    errors: [],
    rest: { method: 'POST', path: '/v1/access-keys', status: 201 },
    wire: false,
  }),
  ListAccessKeys: defineOperation({
    name: 'ListAccessKeys',
    summary: 'Lists access keys without their secrets',
    action: 'administer',
    scope: 'store',
    input: z.object({ limit: z.number().int().optional(), nextToken: z.string().optional() }),
    output: z.object({ accessKeys: z.array(accessKeyViewSchema), nextToken: z.string().optional() }),
    errors: [],
    rest: { method: 'GET', path: '/v1/access-keys', status: 200 },
    wire: false,
  }),
  DeleteAccessKey: defineOperation({
    name: 'DeleteAccessKey',
    summary: 'Deletes an access key; requests signed with it are refused within ten seconds',
    action: 'administer',
    scope: 'store',
    input: z.object({ accessKeyId: z.string() }),
    output: z.object({}),
    errors: ['ResourceNotFoundException'],
    rest: { method: 'DELETE', path: '/v1/access-keys/{accessKeyId}', status: 200 },
    wire: false,
  }),
  CreateJoinToken: defineOperation({
    name: 'CreateJoinToken',
    summary: 'Makes a token that admits a host to the cluster; it is answered this once',
    action: 'administer',
    input: z.object({
      cluster: z.string().optional(),
      /** Admits any number of hosts until its time is over; otherwise one. */
      reusable: z.boolean().optional(),
      /** An hour where absent. */
      lifetimeSeconds: z.number().int().optional(),
    }),
    output: z.object({
      joinToken: z.string(),
      expiresAt: timestampSchema,
      /** SHA-256 (base64url) of the public key of the authority that this control plane made for TLS; the token carries it too. */
      certificatePin: z.string().optional(),
    }),
    errors: ['ClusterNotFoundException'],
    rest: { method: 'POST', path: '/v1/clusters/{cluster}/join-tokens', status: 201 },
    wire: false,
  }),
  AdmitInstances: defineOperation({
    name: 'AdmitInstances',
    summary: "Lets up to 100 EC2 instances of the cluster's host role become hosts, each once",
    action: 'administer',
    input: z.object({ cluster: z.string().optional(), instanceIds: z.array(z.string()) }),
    output: z.object({ instances: z.array(instanceViewSchema) }),
    errors: ['ClusterNotFoundException', 'ConflictException'],
    rest: { method: 'POST', path: '/v1/clusters/{cluster}/instances', status: 201 },
    wire: false,
  }),
} as const;
