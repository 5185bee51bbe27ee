/** Python programs of PyPI in environments of their own, kept in ~/.cache/gantry: nothing is installed into the machine's Python. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { run } from './run.mjs';

/**
 * Answers the directory of the environment's programs. Another version is another directory.
 *
 * @param {string} name
 * @param {string[]} requirements each with its exact version
 */
export function pythonEnvironment(name, requirements) {
  const home = join(homedir(), '.cache/gantry', `${name}-${requirements.join('-').replaceAll('==', '-')}`);
  const programs = join(home, 'bin');
  if (!existsSync(join(home, 'complete'))) {
    console.log(`set-up: installing ${requirements.join(', ')} from PyPI into ${home}`);
    run('python3', ['-m', 'venv', '--clear', home]);
    run(join(programs, 'python'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...requirements]);
    run('touch', [join(home, 'complete')]);
  }
  return programs;
}
