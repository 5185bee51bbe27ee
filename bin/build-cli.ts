/**
 * Builds `dist/cli/`: the `gantry` command and the processes that it starts, as JavaScript that runs below node_modules, where Node
 * strips no types. Each is one file of our own code with what several share in chunks beside it; npm packages stay outside.
 */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';

/** What is started by name, by the name of the file that it becomes. */
const entries: Readonly<Record<string, string>> = {
  gantry: 'bin/gantry.ts',
  'server-main': 'local/server-main.ts',
  'up-main': 'local/up-main.ts',
  'agent-main': 'agent/main.ts',
  'sqlite-checkpoint-thread': 'control/store/sqlite-checkpoint-thread.ts',
};

export async function buildCli(repository: string, outdir: string): Promise<void> {
  await build({
    absWorkingDir: repository,
    entryPoints: { ...entries },
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    packages: 'external',
    chunkNames: 'shared-[hash]',
    sourcemap: false,
    logLevel: 'warning',
    plugins: [startedFiles(repository)],
  });
}

/**
 * `import.meta.resolve('../agent/main.ts')` names a file that is started. Once built, all of them lie in one directory. A file that is
 * started but not built would be missed only when somebody starts it, so it ends the build.
 */
function startedFiles(repository: string): Plugin {
  const built = new Map(Object.entries(entries).map(([name, path]) => [resolve(repository, path), `./${name}.js`]));
  return {
    name: 'started-files',
    setup(plugin) {
      plugin.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const text = await readFile(path, 'utf8');
        const contents = text.replaceAll(/import\.meta\.resolve\('([^']+\.ts)'\)/g, (_, specifier: string) => {
          const target = built.get(resolve(dirname(path), specifier));
          if (target === undefined)
            throw new Error(`${path} starts ${specifier}, which bin/build-cli.ts does not build`);
          return `import.meta.resolve('${target}')`;
        });
        return { contents, loader: 'ts' };
      });
    },
  };
}
