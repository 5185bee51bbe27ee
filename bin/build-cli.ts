/**
 * Builds `dist/cli/`: the `gantry` command and the processes that it starts, as JavaScript that runs below node_modules, where Node
 * strips no types. Each is one file of our own code with what several share in chunks beside it; npm packages stay outside, but for the
 * agent's.
 */
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { bundleAgent } from './build-agent.ts';

/** What is started by name, by the name of the file that it becomes. */
const entries: Readonly<Record<string, string>> = {
  gantry: 'bin/gantry.ts',
  'server-main': 'local/server-main.ts',
  'up-main': 'local/up-main.ts',
  'sqlite-checkpoint-thread': 'control/store/sqlite-checkpoint-thread.ts',
};

/** The agent is one file with all that it needs: it is there for long, and npm packages as they come would cost it memory. */
const agent = { name: 'agent-main', path: 'agent/main.ts' };

export async function buildCli(repository: string, outdir: string): Promise<void> {
  const bundled = bundleAgent(repository, join(outdir, `${agent.name}.js`));
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
  await bundled;
}

/**
 * `import.meta.resolve('../agent/main.ts')` names a file that is started. Once built, all of them lie in one directory. A file that is
 * started but not built would be missed only when somebody starts it, so it ends the build.
 */
function startedFiles(repository: string): Plugin {
  const started = [...Object.entries(entries), [agent.name, agent.path] as const];
  const built = new Map(started.map(([name, path]) => [resolve(repository, path), `./${name}.js`]));
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
