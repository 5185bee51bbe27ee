/** Runs one program to its end. */
import { execFile } from 'node:child_process';

/** Answers what it wrote, without the last line's end; throws an Error with its complaint when it ends badly. */
export function runProgram(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, [...args], (error, stdout, stderr) => {
      if (error === null) resolve(stdout.trimEnd());
      else reject(new Error(`${command} ${args.join(' ')}: ${stderr.trim() || error.message}`));
    });
  });
}

/** Options of a program as arguments; `true` for those without a value. */
export const flags = (options: Readonly<Record<string, string | number | true>>): string[] =>
  Object.entries(options).flatMap(([name, value]) => (value === true ? [`--${name}`] : [`--${name}`, `${value}`]));
