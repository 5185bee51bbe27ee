/** A revision as clients see it: its body, which never changes, and its status. Pure. */
import type { TaskDefinitionView } from '../../../core/api/shapes.ts';
import { type Realm, taskDefinitionArn } from '../../../core/arn.ts';
import { compact } from '../../../core/compact.ts';
import type { TaskDefinition } from '../../../core/model/task-definition.ts';
import type { RevisionStatus } from '../../store/task-definitions.ts';

export function taskDefinitionView(
  realm: Realm,
  definition: TaskDefinition,
  { status, deregisteredAt, deleteRequestedAt }: Omit<RevisionStatus, 'tags'>,
): TaskDefinitionView {
  return compact({
    ...definition,
    taskDefinitionArn: taskDefinitionArn(realm, definition.family, definition.revision),
    status,
    containerDefinitions: definition.containerDefinitions.map((container) => ({
      ...container,
      mountPoints: [],
      volumesFrom: [],
      systemControls: [],
    })),
    volumes: [],
    placementConstraints: definition.placementConstraints ?? [],
    compatibilities: ['EXTERNAL', 'EC2'],
    requiresAttributes: [],
    registeredAt: new Date(definition.registeredAt),
    deregisteredAt: deregisteredAt === undefined ? undefined : new Date(deregisteredAt),
    deleteRequestedAt: deleteRequestedAt === undefined ? undefined : new Date(deleteRequestedAt),
  });
}
