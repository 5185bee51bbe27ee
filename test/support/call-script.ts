/** Calls an exported, pure function of scripts/ (plain JavaScript, outside the TypeScript project) in a process of its own. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export function callScript(module: string, name: string, ...args: readonly unknown[]): unknown {
  const url = new URL(`../../scripts/${module}`, import.meta.url);
  const program = `
    import * as script from '${fileURLToPath(url)}';
    let input = '';
    for await (const chunk of process.stdin) input += chunk;
    process.stdout.write(JSON.stringify({ answer: script.${name}(...JSON.parse(input)) }));
  `;
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', program], {
    input: JSON.stringify(args),
    encoding: 'utf8',
  });
  return JSON.parse(output).answer;
}
