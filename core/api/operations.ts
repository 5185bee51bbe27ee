/** The table of all operations, and the names of those that ECS has and Gantry does not build yet. */
import type { z } from 'zod';
import { clusterOperations } from './clusters.ts';
import { hostOperations } from './hosts.ts';
import { taskDefinitionOperations } from './task-definitions.ts';
import { taskOperations } from './tasks.ts';

export const operations = {
  ...taskDefinitionOperations,
  ...taskOperations,
  ...clusterOperations,
  ...hostOperations,
} as const;

export type OperationName = keyof typeof operations;

/** What a handler gets. */
export type Input<Name extends OperationName> = z.output<(typeof operations)[Name]['input']>;
/** What a handler answers. */
export type Output<Name extends OperationName> = z.input<(typeof operations)[Name]['output']>;
