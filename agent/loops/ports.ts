/**
 * Static host ports of tasks on this host. The control plane gives a port to a new task once the old one is reported STOPPED, except
 * where someone forced it; then the new task waits here until the port is really free. Only reads the ledger.
 */
import { type HostPort, hostPort } from '../../core/model/resources.ts';
import type { TaskSpec } from '../../core/model/task-spec.ts';
import type { LedgerTask } from '../../core/plan/ledger.ts';

function staticPorts(spec: TaskSpec): Set<HostPort> {
  const mappings = spec.containers.flatMap((container) => container.portMappings);
  if (spec.networkMode === 'none') return new Set();
  return new Set(
    mappings.flatMap(({ protocol, hostPort: port = 0 }) => (port === 0 ? [] : [hostPort(protocol, port)])),
  );
}

/** True while another task whose network was made holds a port that this one needs. */
export function awaitsPort(task: LedgerTask, ledger: readonly LedgerTask[]): boolean {
  const wanted = staticPorts(task.spec);
  if (wanted.size === 0) return false;
  return ledger.some(
    (other) =>
      other.taskId !== task.taskId &&
      other.bootId !== undefined &&
      other.removedAt === undefined &&
      [...staticPorts(other.spec)].some((port) => wanted.has(port)),
  );
}
