/** Amazon Linux 2023, Fedora and their kin: packages installed by dnf. It starts and enables no service. */
import { CommandFailed, run } from './run.mjs';

/**
 * @param {string[]} names of packages
 * @returns {Set<string>} those of them that no configured repository has
 */
export function unknownPackages(names) {
  const known = new Set(run('dnf', ['-q', 'repoquery', '--qf', '%{name}\n', ...names]).split('\n'));
  return new Set(names.filter((name) => !known.has(name)));
}

/**
 * @param {string[]} names
 * @param {import('./setup.mjs').Context} context
 */
export function install(names, { asRoot, say }) {
  say(`installing ${names.join(', ')} (dnf${downloadSize(names)})`);
  asRoot('dnf', '-y', '-q', 'install', '--setopt=install_weak_deps=False', ...names);
}

/** dnf tells the size only in the question that it asks; answered with no, it changes nothing and ends with 1. */
function downloadSize(names) {
  try {
    run('dnf', ['--assumeno', 'install', '--setopt=install_weak_deps=False', ...names]);
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    const size = /Total download size:\s*(.+)/.exec(error.output)?.[1];
    if (size) return `, ${size.trim()} to fetch`;
  }
  return '';
}
