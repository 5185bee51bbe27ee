/** `gantry up`: makes this machine a cloud, in the foreground. */
import { defineCommand, exitCodes } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { exportLines } from '../render/environment.ts';
import { fleetOptions, localOptions, readFleet, upOptions } from './cloud-options.ts';

export const upCommand = defineCommand({
  name: 'up',
  summary: 'Make this machine a cloud, supervised until Ctrl-C; containers outlive it',
  details: [
    'It stays in the foreground and starts again what ends: control plane, agents and containerd. Ctrl-C ends those and leaves containers ' +
      'running; the next `gantry up` takes them up again, `gantry down` ends everything. Needs root.',
    'Several clouds on one machine need a --name, --data, --run-dir, --port and --network each.',
  ],
  arguments: [],
  options: { ...fleetOptions, ...upOptions },
  examples: [
    'gantry up',
    'gantry up --hosts 3',
    'gantry up --fleet 0..5',
    'gantry up --store dynamodb --dynamodb-endpoint http://127.0.0.1:8000',
  ],
  async run(context, { options }) {
    const { out, local, cloudHere, signal } = context;
    const fleet = readFleet(upCommand, options);
    const ready = () => {
      const here = cloudHere(options['run-dir'] ?? context.runDir);
      if (here === undefined) return;
      const { endpoint, environment, tls } = here;
      out.data({ endpoint, environment, ...(tls !== undefined && { tls }) });
      out.line(`Gantry is ready at ${endpoint}`);
      out.line();
      out.line('An ECS client needs only this (the AWS CLI before 2.13 also `--endpoint-url $AWS_ENDPOINT_URL_ECS`):');
      for (const line of exportLines(environment)) out.line(`  ${line}`);
      if (tls !== undefined) {
        out.line();
        out.line(`Its own certificate is from the authority in ${tls.certificateAuthorityFile}, pin ${tls.pin}.`);
        out.line('`gantry join-token` makes what another machine joins with.');
      }
      out.line();
      out.line(
        'In another terminal: `gantry run examples/hello.json --follow`. Ctrl-C here leaves containers running.',
      );
      const elsewhere = contextInUse(context);
      if (elsewhere !== undefined)
        out.note(
          `Commands go to the context ${elsewhere}, not here: say --context local, or \`gantry contexts use local\`.`,
        );
    };
    await local.up(localOptions(context, { ...options, ...fleet }), { say: (line) => out.note(line), ready }, signal);
    out.note(
      'Ended agents and control plane. Containers go on: `gantry up` takes them up again, `gantry down` ends them.',
    );
    return exitCodes.ok;
  },
});

function contextInUse({ contexts }: CommandContext): string | undefined {
  try {
    return contexts.inEffect().name;
  } catch {
    return undefined; // A file of contexts that is broken keeps no cloud from coming up; who needs it is told.
  }
}
