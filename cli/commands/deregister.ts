/** `gantry deregister`: ends a host for good. */
import { defineCommand, exitCodes } from '../command.ts';

export const deregisterCommand = defineCommand({
  name: 'deregister',
  summary: 'End a host for good: its key is refused from then on, and its name is free',
  details: [
    '`gantry drain HOST --wait` before it lets tasks end first. Where it has tasks it is refused without --force.',
  ],
  arguments: [{ name: 'host', summary: 'a host, by name, id or ARN', required: true, completes: ['host'] }],
  options: { force: { type: 'boolean', summary: 'Also where it has tasks, which are then stopped' } },
  examples: ['gantry deregister host-1', 'gantry deregister i-0123456789abcdef0 --force'],
  async run({ client, cluster, out }, { args: [host = ''], options }) {
    const { containerInstance } = await client().call('DeregisterContainerInstance', {
      cluster,
      containerInstance: host,
      ...(options.force === true && { force: true }),
    });
    out.data({ host: containerInstance });
    out.line(`${containerInstance.hostName} is ${containerInstance.status}: it is no host of ${cluster} any more`);
    return exitCodes.ok;
  },
});
