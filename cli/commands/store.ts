/** `gantry store restored`: says of a store that it was put back from a backup. */
import { plural } from '../../core/text.ts';
import { defineCommand, exitCodes } from '../command.ts';
import { localOptions, upOptions, whereOptions } from './cloud-options.ts';

const { store, 'dynamodb-endpoint': endpoint, 'dynamodb-table': table } = upOptions;

export const storeRestoredCommand = defineCommand({
  name: 'store restored',
  summary: 'Say that a store was put back from a backup, before a control plane uses it again',
  details: [
    'The store gets another epoch: no agent takes it at its word, and no host is given a task before somebody has said `gantry adopt` or ' +
      '`gantry discard`. Where nobody says it, agents find out by themselves, unless the store has caught up with what they knew.',
    'A SQLite store that a control plane has open is refused. What uses a DynamoDB table must be ended first: that is not seen.',
  ],
  arguments: [],
  options: { ...whereOptions, store, 'dynamodb-endpoint': endpoint, 'dynamodb-table': table },
  examples: [
    'gantry store restored',
    'gantry store restored --store dynamodb --dynamodb-table gantry-restored --region eu-west-1',
  ],
  async run(context, { options }) {
    const { out, local } = context;
    const restored = await local.restored(localOptions(context, options));
    out.data(restored);
    out.line(`The store has another epoch now; ${plural(restored.hosts, 'host')} of it will wait for a decision.`);
    return exitCodes.ok;
  },
});
