/** `gantry store copy`: brings a store to another place, as from one machine to DynamoDB. */
import { plural } from '../../core/text.ts';
import { defineCommand, exitCodes } from '../command.ts';
import { localOptions } from './cloud-options.ts';

export const storeCopyCommand = defineCommand({
  name: 'store copy',
  summary: 'Copy a store that nobody uses into another one, for a control plane to go on with',
  details: [
    'FROM and TO are sqlite:PATH (a data directory of `gantry up`, or a file) or dynamodb:TABLE, which is made where it is not there. TO is ' +
      'empty, or a copy of the same store that broke off: the same command again goes on with it. No control plane opens a copy that is not ' +
      'whole.',
    'What was copied is compared, item by item. Then the copy gets an epoch of its own: agents keep what runs and take nothing, until ' +
      'somebody says `gantry adopt` or `gantry discard`. Region and account stay what they are. FROM is not changed: use it no more.',
    'A store that is in use is refused: SQLite by its lock; DynamoDB where a control plane has said within fifteen minutes that it receives.',
  ],
  arguments: [
    { name: 'from', summary: 'the store, sqlite:PATH or dynamodb:TABLE', required: true },
    { name: 'to', summary: 'where its copy is to be, likewise', required: true },
  ],
  options: {
    'dynamodb-endpoint': {
      type: 'string',
      value: 'URL',
      summary: "With dynamodb:TABLE: another endpoint than AWS'",
    },
    force: {
      type: 'boolean',
      summary: 'Copy from DynamoDB though it was used within fifteen minutes, because what used it has ended',
    },
  },
  examples: [
    'gantry store copy sqlite:/var/lib/gantry dynamodb:gantry --region eu-west-1',
    'gantry store copy sqlite:/var/lib/gantry sqlite:/srv/gantry',
  ],
  async run(context, { args, options }) {
    const { out, local, signal } = context;
    const [from, to] = args;
    signal.addEventListener('abort', () => out.note('Broken off: the same command again goes on with it.'), {
      once: true,
    });
    const copied = await local.copyStore(
      { ...localOptions(context, options), from, to },
      ({ phase, items }) => out.status([`${phase}: ${plural(items, 'item')}`]),
      signal,
    );
    out.data(copied);
    const { items, hosts, dataKey, secrets } = copied;
    out.line(
      `${plural(items, 'item')} of ${copied.from} ${items === 1 ? 'is' : 'are'} in ${copied.to}, and the same there.`,
    );
    if (dataKey !== undefined) out.line(`The key that opens its secrets is ${dataKey}.`);
    out.line(
      `It has another epoch; ${plural(hosts, 'host')} of it will wait for a decision (gantry adopt, gantry discard).`,
    );
    if (secrets !== undefined) out.note(secrets);
    return exitCodes.ok;
  },
});
