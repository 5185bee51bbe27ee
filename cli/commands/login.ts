/** `gantry login`: keeps how a control plane is reached, once it has answered. */
import { authorityOf, pinOf } from '../../client/authority.ts';
import { gatewayRegion } from '../../client/signer.ts';
import type { ClusterView } from '../../core/api/shapes.ts';
import { compact } from '../../core/compact.ts';
import { GantryError } from '../../core/errors.ts';
import { isPin } from '../../core/join-token.ts';
import { defaultClusterName } from '../../core/model/cluster.ts';
import { defineCommand, exitCodes } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { adding, type Context, checkName } from '../contexts/book.ts';
import { usage } from '../parse.ts';
import { contentsOf } from '../render/cluster-page.ts';

const command = { name: 'login' };

export const loginCommand = defineCommand({
  name: 'login',
  summary: 'Keep the address and the key of a control plane as a context, and use it from now on',
  details: [
    'The key is tried before anything is kept. Its secret is asked for without being shown, or read from standard input, and never ' +
      'taken as an argument, which other users could see. It is kept in ~/.config/gantry/config.yaml ($XDG_CONFIG_HOME), which only ' +
      'you may read.',
    'An address of API Gateway is signed for with AWS credentials, as the AWS CLI finds them: nothing secret is kept of it.',
    'To give a context another key, say the same again without --endpoint.',
  ],
  arguments: [{ name: 'name', summary: 'what to call it, for example prod', required: true, completes: ['context'] }],
  options: {
    'access-key-id': { type: 'string', value: 'ID', summary: 'The id of a key (default: asked for)' },
    'tls-pin': {
      type: 'string',
      value: 'PIN',
      summary: 'Trust the authority with this pin, which the control plane made: `gantry up` and join tokens say it',
    },
    'tls-ca': { type: 'string', value: 'FILE', summary: 'Trust the authority in this file (PEM)', completes: ['file'] },
    iam: { type: 'boolean', summary: 'Sign with AWS credentials: IAM stands before the address' },
  },
  examples: [
    'gantry login prod --endpoint https://gantry.example.com --cluster web',
    'gantry login prod --access-key-id GKIA0123456789ABCDEF < secret.txt',
    'gantry login aws --endpoint https://abc123.execute-api.eu-west-1.amazonaws.com',
  ],
  async run(context, { args: [name = ''], options }) {
    const { 'access-key-id': accessKeyId, iam = false } = options;
    const { contexts, named, out } = context;
    checkName(name);
    if (iam && accessKeyId !== undefined) throw usage(command, '--iam leaves nothing to sign for --access-key-id');
    const book = contexts.read();
    const before = Object.hasOwn(book.contexts, name) ? book.contexts[name] : undefined;
    const endpoint = named.endpoint ?? before?.endpoint;
    if (endpoint === undefined) throw usage(command, `--endpoint is missing: where the control plane ${name} is`);
    checkUrl(endpoint);
    const byIam = iam || (accessKeyId === undefined && gatewayRegion(endpoint) !== undefined);
    const asBefore = named.endpoint === undefined || named.endpoint === before?.endpoint;
    const wanted: Context = compact({
      endpoint,
      certificateAuthority:
        (await authorityFor(context, endpoint, options)) ?? (asBefore ? before?.certificateAuthority : undefined),
      region:
        context.region ?? (named.endpoint === undefined ? before?.region : undefined) ?? contexts.regionFor(endpoint),
      cluster: named.cluster ?? before?.cluster,
      key: byIam ? undefined : await keyFrom(context, accessKeyId),
    });
    const cluster = await tried(context, wanted);
    contexts.write(adding(book, name, wanted));
    const { key, certificateAuthority, ...shown } = wanted;
    const trusts = certificateAuthority && { tlsPin: pinOf(certificateAuthority) };
    out.data({ context: { name, ...shown, accessKeyId: key?.accessKeyId, ...trusts }, file: contexts.path });
    out.line(`${name} is ${endpoint}, in the region ${wanted.region}: ${cluster}`);
    out.note(`Kept in ${contexts.path}. Commands go there from now on; \`gantry contexts use\` changes that.`);
    return exitCodes.ok;
  },
});

function checkUrl(endpoint: string): void {
  if (/^https?:\/\//.test(endpoint) && URL.canParse(endpoint)) return;
  throw new GantryError('InvalidParameterException', `${endpoint} is no URL of a control plane.`, {
    field: 'endpoint',
    hint: 'It begins with https:// or http://, for example https://gantry.example.com.',
  });
}

/** Undefined where nothing is said: then what this machine trusts is enough. */
async function authorityFor(
  { readFile }: CommandContext,
  endpoint: string,
  { 'tls-pin': pin, 'tls-ca': file }: { readonly 'tls-pin'?: string; readonly 'tls-ca'?: string },
): Promise<string | undefined> {
  if (pin === undefined && file === undefined) return undefined;
  if (pin !== undefined && file !== undefined) throw usage(command, '--tls-pin and --tls-ca each name an authority');
  if (!endpoint.startsWith('https://'))
    throw usage(command, `--tls-pin and --tls-ca need an https:// address, not ${endpoint}`);
  if (file !== undefined) return checkedAuthority(file, await readFile(file));
  if (pin !== undefined && isPin(pin)) return authorityOf(new URL(endpoint), pin);
  throw usage(command, `--tls-pin takes 43 letters, digits, hyphens and underscores, not '${pin}'`);
}

function checkedAuthority(file: string, text: string): string {
  try {
    pinOf(text);
    return text;
  } catch (cause) {
    throw new GantryError('InvalidParameterException', `${file} has no certificate (PEM).`, { field: 'tls-ca', cause });
  }
}

async function keyFrom({ openAsker }: CommandContext, id: string | undefined): Promise<NonNullable<Context['key']>> {
  await using asker = openAsker();
  const accessKeyId = id ?? (await asker.ask({ prompt: 'Access key id: ', secret: false }));
  const secretAccessKey =
    accessKeyId === undefined
      ? undefined
      : await asker.ask({ prompt: 'Secret access key (not shown): ', secret: true });
  if (accessKeyId !== undefined && secretAccessKey !== undefined) return { accessKeyId, secretAccessKey };
  const what = accessKeyId === undefined ? 'id of a key' : 'secret of the key';
  throw new GantryError('MissingAuthenticationTokenException', `No ${what} was given.`, {
    hint: '`gantry keys create USER` makes a key. Off a terminal the id, where no --access-key-id names it, and the secret are lines of standard input.',
  });
}

/** What its cluster has. Throws where the control plane refuses to say who we are; what a key may do is its own business. */
async function tried({ contexts, signal }: CommandContext, context: Context): Promise<string> {
  const name = context.cluster ?? defaultClusterName;
  try {
    const { clusters } = await contexts.clientOf(context).call('DescribeClusters', { clusters: [name] }, signal);
    return inWords(name, clusters[0]);
  } catch (error) {
    // A key that may not look has been recognised all the same; of IAM's refusal nothing of the kind is known.
    if (error instanceof GantryError && error.code === 'AccessDeniedException' && context.key !== undefined)
      return `the key is right, and may not look at the cluster ${name}`;
    throw error;
  }
}

const inWords = (name: string, cluster: ClusterView | undefined): string =>
  cluster === undefined ? `there is no cluster ${name} yet` : `the cluster ${name} has ${contentsOf(cluster)}`;
