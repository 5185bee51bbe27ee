/** `gantry doctor`: whether this machine can be a cloud, and how the one on it does. */
import { defineCommand, exitCodes } from '../command.ts';
import { localOptions, whereOptions } from './cloud-options.ts';

export const doctorCommand = defineCommand({
  name: 'doctor',
  summary: 'Check this machine and the cloud or host on it; changes nothing',
  details: [
    'Looks at the programs that containers take and their versions, control groups, overlayfs, memory and swap, the firewall (who uses it, ' +
      'its lock, its matches, forwarding), room and inodes of the directories in use, and the port of the control plane. Where this ' +
      'machine has joined a control plane: whether that is reached (name, port, certificate, answer, each told apart), how far the clocks ' +
      'differ, the mirrors of registries, containerd and the agent. Each that is wrong comes with what to do; the exit code is 1 then.',
  ],
  arguments: [],
  options: whereOptions,
  examples: ['gantry doctor', "gantry doctor --json | jq '.findings[] | select(.ok | not)'"],
  async run(context, { options }) {
    const { out, local } = context;
    const findings = await local.examine(localOptions(context, options));
    const wrong = findings.filter(({ ok }) => !ok);
    out.data({ ok: wrong.length === 0, findings });
    out.table(
      ['', 'WHAT', 'FOUND'],
      findings.map(({ ok, subject, detail }) => [
        ok ? out.paint('green', 'ok') : out.paint('red', 'wrong'),
        subject,
        detail,
      ]),
    );
    out.line();
    if (wrong.length === 0) out.line('Nothing is wrong.');
    for (const { subject, advice } of wrong) out.line(advice === undefined ? subject : `${subject}: ${advice}`);
    return wrong.length === 0 ? exitCodes.ok : exitCodes.failed;
  },
});
