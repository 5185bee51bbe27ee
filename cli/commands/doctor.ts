/** `gantry doctor`: whether this machine can be a cloud, and how the one on it does. */
import { defineCommand, exitCodes } from '../command.ts';
import { localOptions, whereOptions } from './cloud-options.ts';

export const doctorCommand = defineCommand({
  name: 'doctor',
  summary: 'Check this machine and the cloud on it; changes nothing',
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
