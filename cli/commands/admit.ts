/** `gantry admit`: lets EC2 instances of the cluster's host role become its hosts. */
import { defineCommand, exitCodes } from '../command.ts';

export const admitCommand = defineCommand({
  name: 'admit',
  summary: "Let EC2 instances that have the cluster's host role become its hosts",
  arguments: [{ name: 'instance', summary: 'ids of EC2 instances, at most 100', required: true, variadic: true }],
  options: {},
  examples: ['gantry admit i-0123456789abcdef0', 'gantry admit i-0123456789abcdef0 i-0fedcba9876543210 --cluster web'],
  async run({ client, cluster, out }, { args: instanceIds }) {
    const { instances } = await client().call('AdmitInstances', { cluster, instanceIds: [...instanceIds] });
    out.data({ instances });
    for (const { instanceId, containerInstanceArn } of instances)
      out.line(
        containerInstanceArn === undefined
          ? `${instanceId} may become a host of ${cluster}`
          : `${instanceId} is a host of ${cluster} already: ${containerInstanceArn}`,
      );
    return exitCodes.ok;
  },
});
