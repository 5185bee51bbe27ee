/** The parts of a host that DescribeContainerInstances answers only where `include` asks for them, as ECS has it. Pure. */
import type { Input } from '../../../core/api/operations.ts';
import type { ContainerInstanceView } from '../../../core/api/shapes.ts';
import { withTags } from './with-tags.ts';

export function describedHost(
  view: ContainerInstanceView,
  include: Input<'DescribeContainerInstances'>['include'] = [],
): ContainerInstanceView {
  const shown = withTags(view, include);
  return include.includes('CONTAINER_INSTANCE_HEALTH') ? { ...shown, healthStatus: healthOf(view) } : shown;
}

/** An agent that reports has spoken to its container runtime; of one that does not, nothing is known. */
function healthOf({ status, agentConnected }: ContainerInstanceView): ContainerInstanceView['healthStatus'] {
  const known = agentConnected ? ('OK' as const) : ('INSUFFICIENT_DATA' as const);
  const overallStatus = status === 'REGISTERING' ? ('INITIALIZING' as const) : known;
  return { overallStatus, details: [{ type: 'CONTAINER_RUNTIME', status: overallStatus }] };
}
