/** Inputs and outputs of the operations on the protection of tasks. */
import { z } from 'zod';
import { defineOperation } from './operation.ts';
import { failureSchema, timestampSchema } from './shapes.ts';

const protectedTaskSchema = z
  .object({ taskArn: z.string(), protectionEnabled: z.boolean(), expirationDate: timestampSchema.optional() })
  .meta({ id: 'ProtectedTask' });
const output = z.object({ protectedTasks: z.array(protectedTaskSchema), failures: z.array(failureSchema) });

export const taskProtectionOperations = {
  GetTaskProtection: defineOperation({
    name: 'GetTaskProtection',
    summary: 'Answers whether tasks are protected, and until when',
    action: 'read',
    input: z.object({ cluster: z.string(), tasks: z.array(z.string()).optional() }),
    output,
    errors: ['ClusterNotFoundException'],
    rest: { method: 'POST', path: '/v1/clusters/{cluster}/describe-task-protection', status: 200 },
    wire: true,
  }),
  UpdateTaskProtection: defineOperation({
    name: 'UpdateTaskProtection',
    summary: 'Protects up to 10 tasks from being moved for the sake of something else, or no more',
    action: 'run',
    input: z.object({
      cluster: z.string(),
      tasks: z.array(z.string()),
      protectionEnabled: z.boolean(),
      /** 1 to 2880; 120 where absent. */
      expiresInMinutes: z.number().int().optional(),
    }),
    output,
    errors: ['ClusterNotFoundException'],
    rest: { method: 'PUT', path: '/v1/clusters/{cluster}/task-protection', status: 200 },
    wire: true,
  }),
} as const;
