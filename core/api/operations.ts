/** The table of all operations. */
import type { z } from 'zod';
import { accessOperations } from './access.ts';
import { accountSettingOperations } from './account-settings.ts';
import { attributeOperations } from './attributes.ts';
import { auditOperations } from './audit.ts';
import { capacityOperations } from './capacity.ts';
import { capacityProviderOperations } from './capacity-providers.ts';
import { clusterOperations } from './clusters.ts';
import { eventOperations } from './events.ts';
import { hostOperations } from './hosts.ts';
import { registryCredentialOperations } from './registry-credentials.ts';
import { tagOperations } from './tags.ts';
import { taskDefinitionOperations } from './task-definitions.ts';
import { taskProtectionOperations } from './task-protection.ts';
import { taskOperations } from './tasks.ts';
import { webhookOperations } from './webhooks.ts';

export const operations = {
  ...taskDefinitionOperations,
  ...taskOperations,
  ...taskProtectionOperations,
  ...clusterOperations,
  ...hostOperations,
  ...capacityProviderOperations,
  ...capacityOperations,
  ...eventOperations,
  ...webhookOperations,
  ...registryCredentialOperations,
  ...auditOperations,
  ...attributeOperations,
  ...tagOperations,
  ...accountSettingOperations,
  ...accessOperations,
} as const;

export type OperationName = keyof typeof operations;

/** What a handler gets. */
export type Input<Name extends OperationName> = z.output<(typeof operations)[Name]['input']>;
/** What a handler answers. */
export type Output<Name extends OperationName> = z.input<(typeof operations)[Name]['output']>;

/** The operation of this name on the ECS wire, if Gantry has it. */
export const wireOperationNamed = (name: string): OperationName | undefined =>
  isOperationName(name) && operations[name].wire ? name : undefined;

const isOperationName = (name: string): name is OperationName => Object.hasOwn(operations, name);
