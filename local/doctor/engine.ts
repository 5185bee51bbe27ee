/** Whether the programs that containers take are there, and new enough. */
import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { findExecutable, hostToolsPath } from '../containerd.ts';
import { neededTools } from '../preflight.ts';
import { type Finding, finding, reasonOf } from './finding.ts';

const run = promisify(execFile);

/** The oldest that are tested: of containerd the first with its API of today, of runc the first that knows version 2 whole. */
const oldest: Readonly<Record<string, readonly [major: number, minor: number]>> = { containerd: [1, 6], runc: [1, 1] };
const answerTimeoutMs = 5000;

/** @param path where programs are looked for */
export const engineFindings = (path: string = hostToolsPath()): Promise<Finding[]> =>
  Promise.all(neededTools.map((name) => toolFinding(name, path)));

async function toolFinding(name: string, path: string): Promise<Finding> {
  const found = findExecutable(name, path);
  const install = 'Install it, or run `npm run quickstart` in a clone of Gantry, which brings what is missing.';
  if (found === undefined) return finding(name, false, 'not found', install);
  const least = oldest[name];
  if (least === undefined) return finding(name, true, found, '');
  try {
    const { stdout } = await run(found, ['--version'], { env: { PATH: path }, timeout: answerTimeoutMs });
    const [version = '', major = 0, minor = 0] = /(\d+)\.(\d+)\.\d+\S*/.exec(stdout) ?? [];
    const isNew = Number(major) > least[0] || (Number(major) === least[0] && Number(minor) >= least[1]);
    const advice = `Gantry needs ${name} ${least.join('.')} or newer: install a newer one, before this one in PATH or in its place.`;
    return finding(name, isNew, version === '' ? `${found} does not say its version` : `${version}, ${found}`, advice);
  } catch (error) {
    return finding(name, false, `${found} does not run: ${reasonOf(error)}`, `Install ${name} again.`);
  }
}

/** Whether somebody answers at containerd's socket. */
export async function socketFinding(socket: string, advice: string): Promise<Finding> {
  const failure = await new Promise<string | undefined>((resolve) => {
    const connection = connect({ path: socket, timeout: answerTimeoutMs });
    connection.once('connect', () => {
      resolve(undefined);
      connection.destroy();
    });
    connection.once('timeout', () => connection.destroy(new Error('no answer')));
    connection.once('error', (error) => resolve(error.message));
  });
  return finding('containerd socket', failure === undefined, failure ?? `${socket} answers`, advice);
}
