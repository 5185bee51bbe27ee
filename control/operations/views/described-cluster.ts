/** The parts of a cluster that DescribeClusters answers only where `include` asks for them, as ECS has it. Pure. */
import type { Input } from '../../../core/api/operations.ts';
import type { ClusterView } from '../../../core/api/shapes.ts';
import { compact } from '../../../core/compact.ts';
import { withTags } from './with-tags.ts';

type Include = Input<'DescribeClusters'>['include'];

export function describedCluster(view: ClusterView, include: Include = []): ClusterView {
  const { configuration, ...rest } = withTags(view, include);
  return compact({
    ...rest,
    settings: include.includes('SETTINGS') ? view.settings : [],
    configuration: include.includes('CONFIGURATIONS') ? configuration : undefined,
    statistics: include.includes('STATISTICS') ? statisticsOf(view) : [],
    // What ECS attaches of managed scaling; whatever Gantry buys by is of the capacity provider itself.
    attachments: include.includes('ATTACHMENTS') ? [] : undefined,
  });
}

/** By launch type, in ECS' names; of Fargate there is none. */
function statisticsOf({ runningTasksCount, pendingTasksCount }: ClusterView): ClusterView['statistics'] {
  const counts = {
    runningEC2TasksCount: runningTasksCount,
    runningFargateTasksCount: 0,
    pendingEC2TasksCount: pendingTasksCount,
    pendingFargateTasksCount: 0,
    activeEC2ServiceCount: 0,
    activeFargateServiceCount: 0,
    drainingEC2ServiceCount: 0,
    drainingFargateServiceCount: 0,
  };
  return Object.entries(counts).map(([name, value]) => ({ name, value: String(value) }));
}
