/** `gantry registries login`, `list` and `logout`: what the cluster's hosts pull images of private registries with. */
import type { RegistryCredentialsView } from '../../core/api/registry-credentials.ts';
import { compact } from '../../core/compact.ts';
import { GantryError } from '../../core/errors.ts';
import { defineCommand, exitCodes } from '../command.ts';
import { oneLine } from '../render/text.ts';
import { formatMoment } from '../render/time.ts';

export const registriesLoginCommand = defineCommand({
  name: 'registries login',
  summary: "Keep what the cluster's hosts pull a registry's images with, or replace it",
  details: [
    'The password is asked for without being shown, or read from standard input, and never taken as an argument, which other users ' +
      'could see. The control plane keeps it sealed, gives it to hosts that pull with it and shows it to nobody.',
    'With --name it is used only for containers that give this name as repositoryCredentials.credentialsParameter: two accounts for one ' +
      'registry, or the ARN of a secret in a task definition that was written for ECS.',
  ],
  arguments: [{ name: 'registry', summary: 'as it stands in images, for example ghcr.io', required: true }],
  options: {
    username: { type: 'string', value: 'NAME', summary: 'Whose account it is (default: asked for)' },
    name: { type: 'string', value: 'TEXT', summary: 'Only for containers that name it (default: for all images)' },
  },
  examples: [
    'gantry registries login ghcr.io --username ci < token.txt',
    'gantry registries login registry.example.com:5000 --username deploy --name deploy-account',
  ],
  async run({ client, cluster, out, openAsker }, { args: [registry = ''], options: { username: given, name } }) {
    await using asker = openAsker();
    const username = given ?? (await asker.ask({ prompt: 'Username: ', secret: false }));
    const password =
      username === undefined ? undefined : await asker.ask({ prompt: 'Password (not shown): ', secret: true });
    if (username === undefined || password === undefined)
      throw new GantryError(
        'InvalidParameterException',
        `No ${username === undefined ? 'username' : 'password'} was given.`,
        {
          field: username === undefined ? 'username' : 'password',
          hint: 'Off a terminal the username, where no --username names it, and the password are lines of standard input.',
        },
      );
    const wish = compact({ cluster, registry, name, username, password });
    const { registryCredentials } = await client().call('PutRegistryCredentials', wish);
    out.data({ registryCredentials });
    out.line(`The cluster ${cluster} pulls ${useOf(registryCredentials)} as ${registryCredentials.username}`);
    return exitCodes.ok;
  },
});

export const registriesListCommand = defineCommand({
  name: 'registries list',
  summary: 'Show which credentials of private registries the cluster has',
  arguments: [],
  options: {},
  examples: ['gantry registries list', 'gantry registries list --cluster web --json'],
  async run({ client, cluster, out, now }) {
    const { registryCredentials } = await client().call('ListRegistryCredentials', { cluster });
    out.data({ registryCredentials });
    if (registryCredentials.length === 0)
      out.note(`The cluster ${cluster} has none. \`gantry registries login REGISTRY\` gives it some.`);
    else
      out.table(
        ['NAME', 'REGISTRY', 'USERNAME', 'FOR', 'CHANGED'],
        registryCredentials.map((credentials) => [
          oneLine(credentials.name),
          credentials.registry,
          oneLine(credentials.username),
          credentials.use === 'ALL_IMAGES' ? 'all its images' : 'containers that name it',
          formatMoment(credentials.updatedAt, { terminal: out.terminal, now: now() }),
        ]),
      );
    return exitCodes.ok;
  },
});

export const registriesLogoutCommand = defineCommand({
  name: 'registries logout',
  summary: 'Forget credentials of a private registry; images that are on hosts already stay there',
  arguments: [{ name: 'name', summary: 'as `gantry registries list` shows it', required: true }],
  options: {},
  examples: ['gantry registries logout ghcr.io'],
  async run({ client, cluster, out }, { args: [name = ''] }) {
    await client().call('DeleteRegistryCredentials', { cluster, name });
    out.data({ deleted: name });
    out.line(`The cluster ${cluster} has no credentials ${name} any more`);
    return exitCodes.ok;
  },
});

const useOf = ({ use, registry, name }: RegistryCredentialsView): string =>
  use === 'ALL_IMAGES' ? `every image of ${registry}` : `images of ${registry} in containers that name ${name}`;
