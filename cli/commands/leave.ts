/** `gantry leave`: takes this machine out of the cluster that it has joined. */
import { defineCommand, exitCodes } from '../command.ts';
import { hostPlaces, placesOf } from './host-options.ts';

export const leaveCommand = defineCommand({
  name: 'leave',
  summary: 'Take this machine out of the cluster that it has joined, once its tasks have ended',
  details: [
    'Nothing more is placed on it; what runs there is waited for, or stopped with --force. Then the host is deregistered, and containerd, ' +
      'agent, units, networks, control groups and configuration go from the machine. Ctrl-C leaves the host DRAINING.',
    'Where the control plane cannot be reached it goes on only with --force, which ends containers and leaves the host in the list there.',
  ],
  arguments: [],
  options: {
    force: {
      type: 'boolean',
      short: 'f',
      summary: 'Stop its tasks; leave also where the control plane cannot be told',
    },
    purge: { type: 'boolean', summary: 'Remove images and logs too, and its key in any case' },
    ...hostPlaces,
  },
  examples: ['gantry leave', 'gantry leave --force --purge'],
  async run(context, { options: { force = false, purge = false, ...places } }) {
    const { out, local, signal } = context;
    const done: string[] = [];
    const say = (line: string) => {
      done.push(line);
      out.note(line);
    };
    await local.leave({ places: placesOf(context, places), force, purge }, say, signal);
    out.data({ done });
    return exitCodes.ok;
  },
});
