/** Inputs and outputs of the operations on tags. The resource is named by its ARN. */
import { z } from 'zod';
import { tagSchema } from '../model/cluster.ts';
import { defineOperation } from './operation.ts';

const resourceArn = z.string();
/** What changing the tags of some kind of resource asks for; the resource decides which of them. */
const changing = ['run', 'register', 'administer'] as const;

export const tagOperations = {
  TagResource: defineOperation({
    name: 'TagResource',
    summary: 'Gives tags to a task, task definition, cluster, container instance or capacity provider',
    action: changing,
    input: z.object({ resourceArn, tags: z.array(tagSchema) }),
    output: z.object({}),
    errors: ['ClusterNotFoundException', 'ResourceNotFoundException'],
    rest: { method: 'POST', path: '/v1/tag-resource', status: 200 },
    wire: true,
  }),
  UntagResource: defineOperation({
    name: 'UntagResource',
    summary: 'Takes tags away, by their keys',
    action: changing,
    input: z.object({ resourceArn, tagKeys: z.array(z.string()) }),
    output: z.object({}),
    errors: ['ClusterNotFoundException', 'ResourceNotFoundException'],
    rest: { method: 'POST', path: '/v1/untag-resource', status: 200 },
    wire: true,
  }),
  ListTagsForResource: defineOperation({
    name: 'ListTagsForResource',
    summary: 'Answers the tags of a resource',
    action: 'read',
    input: z.object({ resourceArn }),
    output: z.object({ tags: z.array(tagSchema) }),
    errors: ['ClusterNotFoundException', 'ResourceNotFoundException'],
    rest: { method: 'GET', path: '/v1/tags', status: 200 },
    wire: true,
  }),
} as const;
