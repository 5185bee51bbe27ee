/** `gantry join-token`: makes what admits a machine that has no instance role. */
import { defaultClusterName } from '../../core/model/cluster.ts';
import { defineCommand, exitCodes } from '../command.ts';

export const joinTokenCommand = defineCommand({
  name: 'join-token',
  summary: 'Make a token that admits a host; it is printed this once',
  arguments: [],
  options: {
    reusable: { type: 'boolean', summary: 'Admit any number of hosts while it lasts (default: one host)' },
    'lifetime-minutes': {
      type: 'integer',
      value: 'N',
      min: 1,
      max: 525_600,
      summary: 'How long it lasts (default: 60)',
    },
  },
  examples: ['gantry join-token', 'gantry join-token --reusable --lifetime-minutes 1440 --cluster web'],
  async run({ client, cluster, out }, { options: { reusable = false, 'lifetime-minutes': minutes } }) {
    const { joinToken, expiresAt, certificatePin } = await client().call('CreateJoinToken', {
      cluster,
      reusable,
      ...(minutes !== undefined && { lifetimeSeconds: minutes * 60 }),
    });
    out.data({ joinToken, expiresAt, ...(certificatePin !== undefined && { certificatePin }) });
    out.line(joinToken);
    // Beside the token and not with it: standard output is what is given to the host.
    const hosts = reusable ? 'any number of hosts' : 'one host';
    out.note(`It admits ${hosts} to the cluster ${cluster} until ${expiresAt.toISOString()}. There, as root:`);
    const elsewhere = cluster === defaultClusterName ? '' : ` --cluster ${cluster}`;
    out.note(`  gantry join ${fromElsewhere(client().endpoint)} --token ${joinToken}${elsewhere}`);
    return exitCodes.ok;
  },
});

/** The address of this machine's own cloud means another one there. */
function fromElsewhere(endpoint: string): string {
  const url = new URL(endpoint);
  if (!/^(?:localhost|127\..*|\[::1\])$/.test(url.hostname)) return endpoint;
  return `${url.protocol}//THIS-MACHINE:${url.port}`;
}
