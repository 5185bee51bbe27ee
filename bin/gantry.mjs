#!/usr/bin/env node
/**
 * The `gantry` command: starts gantry.ts under Node 24 in a clone, dist/cli/gantry.js in a package, which has no gantry.ts. Plain
 * JavaScript for any Node >= 20, and nothing more than that start: it parses no argument.
 */
import { accessSync, constants, existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { handOver } from './hand-over.mjs';

const home = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(home, 'bin', 'gantry.ts');
// A clone may have been built too: what was built may be old.
const isClone = existsSync(source);
const entry = isClone ? source : join(home, 'dist', 'cli', 'gantry.js');
const node = findNode24(home);

if (node === undefined) {
  process.stderr.write(
    `gantry needs Node 24, which comes with its npm packages; they are not installed in ${home} (this is Node ${process.versions.node}).\n` +
      (isClone
        ? 'Run `npm run quickstart` there, which sets everything up, or `npm install` for the npm packages alone.\n'
        : 'Install it again with its optional packages: `npm install --include=optional gantry`.\n'),
  );
  process.exitCode = 1;
} else {
  // node:sqlite and execve are marked experimental in Node 24; a warning on every command would be noise.
  handOver(node, ['--disable-warning=ExperimentalWarning', entry, ...process.argv.slice(2)]);
}

/**
 * The Node 24 of the npm packages (of a clone, or beside this package where npm hoisted it), or the Node that runs this.
 *
 * @param {string} start
 */
function findNode24(start) {
  for (let dir = start; ; dir = dirname(dir)) {
    const candidate = join(dir, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
    try {
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch {
      // Not installed here: look further up.
    }
    if (dir === dirname(dir)) break;
  }
  const major = Number.parseInt(process.versions.node, 10);
  return major >= 24 && (!isClone || existsSync(join(home, 'node_modules'))) ? process.execPath : undefined;
}
