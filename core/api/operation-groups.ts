/** The operations by what they are about, in the order of the documentation. Each is in one group. */
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

export const operationGroups = {
  'Task definitions': taskDefinitionOperations,
  Tasks: { ...taskOperations, ...taskProtectionOperations },
  Events: eventOperations,
  Webhooks: webhookOperations,
  Clusters: clusterOperations,
  Hosts: { ...hostOperations, ...attributeOperations },
  'Private registries': registryCredentialOperations,
  Capacity: { ...capacityOperations, ...capacityProviderOperations },
  'Tags and settings': { ...tagOperations, ...accountSettingOperations },
  'Who may call, and what may join': accessOperations,
  Audit: auditOperations,
} as const;
