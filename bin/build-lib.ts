/**
 * Builds `dist/lib/` and `dist/client/`: the construct library and the client as a file of JavaScript each, and in `dist/lib/types` the
 * types of both and of what they name, file by file, as the compiler writes them in one go. Node strips no types below node_modules, and
 * an app of another project may be checked by another compiler.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';

const execute = promisify(execFile);

/** `outdir`: of all that is built. */
export async function buildLib(repository: string, outdir: string): Promise<void> {
  await Promise.all([buildCode(repository, outdir), buildTypes(repository, join(outdir, 'lib'))]);
}

async function buildCode(repository: string, outdir: string): Promise<void> {
  await build({
    absWorkingDir: repository,
    entryPoints: { 'lib/index': 'lib/index.ts', 'client/index': 'client/index.ts' },
    outdir,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // aws-cdk-lib and constructs must be those of the app; what the client needs is installed with the package.
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
    throw new Error(`The types of the package could not be written.\n${output}`, { cause: error });
  }
}
