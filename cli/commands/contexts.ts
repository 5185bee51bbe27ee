/** `gantry contexts list`, `use` and `remove`: the control planes that `gantry login` has kept. */
import { pinOf } from '../../client/authority.ts';
import { type ArgumentSpec, defineCommand, exitCodes } from '../command.ts';
import { type ContextBook, localName, using, without } from '../contexts/book.ts';

const one: ArgumentSpec = { name: 'name', summary: 'a context', required: true, completes: ['context'] };

export const contextsListCommand = defineCommand({
  name: 'contexts list',
  summary: 'Show the contexts, and which control plane commands go to',
  details: [
    'A command goes to what --endpoint or --context names; else to GANTRY_ENDPOINT, GANTRY_CONTEXT or AWS_ENDPOINT_URL_ECS; else to ' +
      'the context in use; else to the cloud on this machine, which is always called local.',
  ],
  arguments: [],
  options: {},
  examples: ['gantry contexts list', "gantry contexts list --json | jq -r '.contexts[].name'"],
  async run({ contexts, out }) {
    const shown = Object.entries(contexts.read().contexts).map(([name, { key, certificateAuthority, ...context }]) => ({
      name,
      ...context,
      accessKeyId: key?.accessKeyId,
      ...(certificateAuthority !== undefined && { tlsPin: pinOf(certificateAuthority) }),
    }));
    const { inEffect } = contexts;
    const { name: now, by } = inEffect();
    out.data({ contexts: shown, inEffect: { context: now, by }, file: contexts.path });
    if (shown.length > 0)
      out.table(
        ['', 'NAME', 'ENDPOINT', 'REGION', 'CLUSTER', 'SIGNS WITH'],
        shown.map(({ name, endpoint, region, cluster, accessKeyId }) => [
          name === now ? out.paint('green', '*') : '',
          name,
          endpoint,
          region,
          cluster ?? '-',
          accessKeyId ?? 'AWS credentials',
        ]),
      );
    else out.note('There are no contexts. `gantry login NAME --endpoint URL` makes one.');
    if (now === undefined || by?.startsWith('GANTRY') === true || by?.startsWith('AWS') === true)
      out.note(by === undefined ? 'Commands go to the cloud on this machine.' : `${by} says where commands go.`);
    return exitCodes.ok;
  },
});

export const contextsUseCommand = defineCommand({
  name: 'contexts use',
  summary: 'Say where commands go from now on where they name no control plane',
  arguments: [{ ...one, summary: `a context, or ${localName} for the cloud on this machine` }],
  options: {},
  examples: ['gantry contexts use prod', `gantry contexts use ${localName}`],
  async run({ contexts, out }, { args: [name = ''] }) {
    const book: ContextBook = using(contexts.read(), name);
    contexts.write(book);
    out.data({ current: name });
    out.line(
      name === localName
        ? 'Commands go to the cloud on this machine'
        : `Commands go to ${book.contexts[name]?.endpoint}`,
    );
    return exitCodes.ok;
  },
});

export const contextsRemoveCommand = defineCommand({
  name: 'contexts remove',
  summary: 'Forget contexts, with their keys; the keys themselves go on being good',
  arguments: [{ ...one, summary: 'contexts', variadic: true }],
  options: {},
  examples: ['gantry contexts remove staging'],
  async run({ contexts, out }, { args }) {
    const before = contexts.read();
    contexts.write(args.reduce(without, before));
    out.data({ removed: args });
    for (const name of args) {
      const key = before.contexts[name]?.key;
      out.line(`${name} is forgotten`);
      if (key !== undefined) out.note(`Its key is still good: \`gantry keys revoke ${key.accessKeyId}\` ends it.`);
    }
    return exitCodes.ok;
  },
});
