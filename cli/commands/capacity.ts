/** `gantry capacity`: what a cluster has, what is on order and for whom, why not more, and what it costs. */
import { defineCommand, exitCodes } from '../command.ts';
import { printCapacityPage } from '../render/capacity-page.ts';

export const capacityCommand = defineCommand({
  name: 'capacity',
  summary: 'Show what is on order, for which tasks, why not more, what it costs, and what consolidation would save',
  arguments: [],
  options: {},
  examples: ['gantry capacity', "gantry capacity --json | jq '.waiting[]'"],
  async run({ client, cluster, out, now }) {
    const capacity = await client().call('GetCapacity', { cluster });
    out.data(capacity);
    if (!out.json) printCapacityPage(capacity, out, { cluster, now: now() });
    return exitCodes.ok;
  },
});
