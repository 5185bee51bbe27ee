/**
 * Builds `dist/lib/`: the construct library as one file of JavaScript, and the types of it and of what they name, file by file, as the
 * compiler writes them. Node strips no types below node_modules, and an app of another project may be checked by another compiler.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';

const execute = promisify(execFile);

export async function buildLib(repository: string, outdir: string): Promise<void> {
  await Promise.all([buildCode(repository, outdir), buildTypes(repository, outdir)]);
}

async function buildCode(repository: string, outdir: string): Promise<void> {
  await build({
    absWorkingDir: repository,
    entryPoints: { index: 'lib/index.ts' },
    outdir,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // aws-cdk-lib and constructs must be those of the app.
    packages: 'external',
    logLevel: 'warning',
  });
}

async function buildTypes(repository: string, outdir: string): Promise<void> {
  const compiler = join(repository, 'node_modules', '.bin', 'tsc');
  const project = join(repository, 'lib', 'tsconfig.types.json');
  try {
    await execute(compiler, ['--project', project, '--outDir', join(outdir, 'types')], { cwd: repository });
  } catch (error) {
    const output = error instanceof Error && 'stdout' in error ? String(error.stdout) : '';
    throw new Error(`The types of the construct library could not be written.\n${output}`, { cause: error });
  }
}
