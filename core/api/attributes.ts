/** Inputs and outputs of the operations on attributes: what placement constraints and strategies ask about hosts. */
import { z } from 'zod';
import { defineOperation } from './operation.ts';

const cluster = z.string().optional();
const attributeInputSchema = z.object({
  name: z.string(),
  value: z.string().optional(),
  /** `container-instance`, which is also what is meant where it is left out. */
  targetType: z.string().optional(),
  /** A host's id, ARN or name. */
  targetId: z.string().optional(),
});
export type AttributeInput = z.infer<typeof attributeInputSchema>;
const attributeViewSchema = z
  .object({ name: z.string(), value: z.string().optional(), targetId: z.string() })
  .meta({ id: 'Attribute' });

export const attributeOperations = {
  PutAttributes: defineOperation({
    name: 'PutAttributes',
    summary: 'Gives hosts up to 10 attributes, or other values of those that they were given',
    action: 'administer',
    input: z.object({ cluster, attributes: z.array(attributeInputSchema) }),
    output: z.object({ attributes: z.array(attributeViewSchema) }),
    errors: ['ClusterNotFoundException', 'TargetNotFoundException', 'AttributeLimitExceededException'],
    rest: { method: 'POST', path: '/v1/clusters/{cluster}/attributes', status: 200 },
    wire: true,
  }),
  DeleteAttributes: defineOperation({
    name: 'DeleteAttributes',
    summary: 'Takes attributes away that hosts were given',
    action: 'administer',
    input: z.object({ cluster, attributes: z.array(attributeInputSchema) }),
    output: z.object({ attributes: z.array(attributeViewSchema) }),
    errors: ['ClusterNotFoundException', 'TargetNotFoundException'],
    rest: { method: 'POST', path: '/v1/clusters/{cluster}/delete-attributes', status: 200 },
    wire: true,
  }),
  ListAttributes: defineOperation({
    name: 'ListAttributes',
    summary: 'Lists the attributes of hosts, those that they report themselves included',
    action: 'read',
    input: z.object({
      cluster,
      targetType: z.string(),
      attributeName: z.string().optional(),
      attributeValue: z.string().optional(),
      maxResults: z.number().int().optional(),
      nextToken: z.string().optional(),
    }),
    output: z.object({ attributes: z.array(attributeViewSchema), nextToken: z.string().optional() }),
    errors: ['ClusterNotFoundException'],
    rest: { method: 'GET', path: '/v1/clusters/{cluster}/attributes', status: 200 },
    wire: true,
  }),
} as const;
