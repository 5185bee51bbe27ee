/**
 * An empty project, elsewhere, into which the package is installed as a user does it: packed from the sources of this clone by npm
 * (which builds it first), and installed by npm with aws-cdk-lib and constructs beside it.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CommandResult, run } from '../support/cloud.ts';

export const repository = fileURLToPath(new URL('../..', import.meta.url));

export interface Project extends Disposable {
  readonly directory: string;
  /** Paths of the files in the package. */
  readonly packed: readonly string[];
  /** Runs a program in the project; throws where it fails. */
  execute(command: string, ...args: readonly string[]): Promise<CommandResult>;
}

export async function installPackage(): Promise<Project> {
  const base = mkdtempSync(join(tmpdir(), 'gantry-package-'));
  const dispose = () => rmSync(base, { recursive: true, force: true });
  try {
    const { tarball, packed } = await pack(base);
    const directory = join(base, 'project');
    mkdirSync(directory);
    writeFileSync(
      join(directory, 'package.json'),
      JSON.stringify({ name: 'elsewhere', private: true, type: 'module' }),
    );
    const execute = (command: string, ...args: readonly string[]) => executeIn(directory, command, ...args);
    const { devDependencies } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
    const peers = ['aws-cdk-lib', 'constructs'].map((name) => `${name}@${devDependencies[name]}`);
    await execute('npm', 'install', '--no-audit', '--no-fund', '--prefer-offline', tarball, ...peers);
    return { directory, packed, execute, [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** In a copy of the clone: packing makes dist/ anew, which others may be reading in the clone itself. */
async function pack(base: string): Promise<{ readonly tarball: string; readonly packed: readonly string[] }> {
  const clone = join(base, 'clone');
  mkdirSync(clone);
  for (const name of readdirSync(repository).filter((entry) => !['.git', 'dist', 'node_modules'].includes(entry)))
    cpSync(join(repository, name), join(clone, name), { recursive: true });
  symlinkSync(join(repository, 'node_modules'), join(clone, 'node_modules'));
  const { stdout } = await executeIn(clone, 'npm', 'pack', '--json', '--pack-destination', base);
  // The build's own words come first.
  const [{ filename, files }] = JSON.parse(stdout.slice(stdout.indexOf('[\n')));
  return { tarball: join(base, filename), packed: files.map(({ path }: { path: string }) => path) };
}

async function executeIn(directory: string, command: string, ...args: readonly string[]): Promise<CommandResult> {
  // What npm gives to the scripts of this clone is none of the project's business.
  const outer = Object.entries(process.env).filter(([name]) => !name.startsWith('npm_'));
  const path = (process.env.PATH ?? '').split(delimiter).filter((dir) => !dir.includes('node_modules'));
  const env = { ...Object.fromEntries(outer), PATH: [...path, dirname(process.execPath)].join(delimiter) };
  const result = await run('env', ['-C', directory, command, ...args], env);
  if (result.code === 0) return result;
  throw new Error(`${command} ${args.join(' ')} ended with ${result.code}:\n${result.stdout}${result.stderr}`);
}
