/** Gauges that are read when somebody asks for metrics, from what the control plane has in memory. */
import type { Control } from '../../control/create.ts';
import { loops } from '../../control/loops/index.ts';
import { livelyClusterNames } from '../../control/store/clusters.ts';
import type { Prometheus } from './prometheus.ts';

export async function readGauges(
  { deps, loops: runner }: Pick<Control, 'deps' | 'loops'>,
  to: Prometheus,
): Promise<void> {
  const now = deps.clock.now();
  const clusters = await livelyClusterNames(deps.table, now);
  const views = await Promise.all(
    clusters.map(async (cluster) => ({ cluster, hosts: [...(await deps.capacity.hosts(cluster))] })),
  );
  for (const name of ['Hosts', 'TasksOnHosts', 'LoopAgeMs'] as const) to.forget(name);
  for (const { cluster, hosts } of views) {
    const alike = Map.groupBy(hosts, ({ status, connected }) => `${status} ${connected}`);
    for (const [kind, some] of alike) {
      const [status = '', connected = ''] = kind.split(' ');
      to.note('Hosts', some.length, { cluster, status, connected });
    }
    to.note(
      'TasksOnHosts',
      hosts.reduce((sum, { taskCount }) => sum + taskCount, 0),
      { cluster },
    );
  }
  for (const { name } of loops) {
    const begun = runner.status().filter(({ loop }) => loop === name);
    if (begun.length > 0)
      to.note('LoopAgeMs', now - Math.min(...begun.map(({ startedAt }) => startedAt)), { loop: name });
  }
}
