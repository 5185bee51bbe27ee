/**
 * Builds `dist/lambdas/<name>/index.mjs`: each function with everything that it needs in one file, for the least that a cold start has
 * to read. Only what is loaded in few cases (traces) is a chunk of its own beside it.
 *
 * Source maps lie in `dist/maps/`, outside the functions' assets: Node would read them at every error, some 100 ms for a megabyte, and
 * who looks into a stack trace has the build at hand.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build as bundle, type Metafile, type Plugin } from 'esbuild';
import { englishOnly, namedOnly, withoutJsonSchemas } from './build-trimmed-zod.ts';
import { requireBanner } from './require-banner.ts';

/** Answers what each function's files are made of. */
export async function buildLambdas(repository: string, outdir: string): Promise<Map<string, Metafile>> {
  const lambdas = join(repository, 'lambdas');
  const names = readdirSync(lambdas).filter((name) => existsSync(join(lambdas, name, 'index.ts')));
  const built = names.map(async (name) => [name, await buildLambda(repository, outdir, name)] as const);
  return new Map(await Promise.all(built));
}

async function buildLambda(repository: string, outdir: string, name: string): Promise<Metafile> {
  const target = join(outdir, 'lambdas', name);
  const metafile = await bundleFunction(repository, `lambdas/${name}/index.ts`, target);
  moveMaps(target, join(outdir, 'maps', name));
  return metafile;
}

/** `target/index.mjs` out of a file that exports `handler`. */
export async function bundleFunction(repository: string, entry: string, target: string): Promise<Metafile> {
  const { metafile } = await bundle({
    absWorkingDir: repository,
    entryPoints: { index: entry },
    outdir: target,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
    minify: true,
    legalComments: 'none',
    banner: { js: requireBanner },
    sourcemap: 'external',
    metafile: true,
    logLevel: 'warning',
    plugins: [
      englishOnly,
      openApiAsBuilt,
      withoutJsonSchemas,
      onlyUsedOfZod,
      versionOnly,
      credentialsFromEnvironment,
      noEventStreams,
      noEndpointDiscovery,
      regionsByPattern,
      noAdaptiveRetries,
      nativeSha256,
      processAsGlobal,
    ],
  });
  dropNeedlessBanners(repository, metafile);
  return metafile;
}

/** esbuild begins every chunk with the banner, and hardly one of them asks for anything by `require`. Lines stay where maps have them. */
function dropNeedlessBanners(repository: string, { outputs }: Metafile): void {
  for (const [path, output] of Object.entries(outputs)) {
    if (!path.endsWith('.mjs')) continue;
    const code = readFileSync(join(repository, path), 'utf8');
    const own = code.slice(requireBanner.length);
    if (!code.startsWith(requireBanner) || /\brequire\b/.test(own)) continue;
    writeFileSync(join(repository, path), own);
    output.bytes -= requireBanner.length;
  }
}

function moveMaps(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const file of readdirSync(from).filter((each) => each.endsWith('.map')))
    renameSync(join(from, file), join(to, file));
}

const onlyUsedOfZod: Plugin = {
  name: 'only-used-of-zod',
  setup(build) {
    build.onLoad({ filter: /[\\/](core|control|lambdas)[\\/].*\.ts$/ }, async ({ path }) => {
      const code = namedOnly(await readFile(path, 'utf8'));
      return { contents: /[\\/]core[\\/]api[\\/]/.test(path) ? withoutWords(code) : code, loader: 'ts' };
    });
  },
};

/** Summaries of operations, which errors each has and the names of schemas are for the documentation alone, which is as it was built. */
const withoutWords = (code: string): string =>
  code
    .replaceAll(/(?<=defineOperation\(\{\n)[\s\S]*?(?=\n {2}\}\))/g, (members) =>
      members
        .replace(/^ {4}summary:\s+(['"]).*\1,$/m, "summary: '',")
        .replace(/^ {4}errors: \[[^\]]*\],$/m, 'errors: [],'),
    )
    .replaceAll(/\s*\.meta\(\{ id: '\w+' \}\)/g, '');

/** Of what is in its package, the client wants its version. */
const versionOnly: Plugin = {
  name: 'version-only',
  setup(build) {
    build.onLoad({ filter: /[\\/]@aws-sdk[\\/]client-[\w-]+[\\/]package\.json$/ }, async ({ path }) => {
      const { version } = JSON.parse(await readFile(path, 'utf8'));
      return { contents: JSON.stringify({ version }), loader: 'json' };
    });
  },
};

/** The OpenAPI document is the one that is checked in, so that nothing here makes JSON schemas. */
const openApiAsBuilt: Plugin = {
  name: 'openapi-as-built',
  setup(build) {
    build.onLoad({ filter: /[\\/]control[\\/]http[\\/]openapi\.ts$/ }, async ({ path }) => ({
      contents: `export const openApiDocument = () => (${await readFile(join(path, '../../../docs/openapi.json'), 'utf8')});`,
    }));
  },
};

/** Lambda puts a function's credentials into its environment, so the other ways to find some (100 KB of clients) are left out. */
const credentialsFromEnvironment: Plugin = {
  name: 'credentials-from-environment',
  setup(build) {
    build.onLoad({ filter: /[\\/]@aws-sdk[\\/]credential-provider-node[\\/]dist-es[\\/]index\.js$/ }, () => ({
      contents: "export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env';",
    }));
  },
};

/** No call of ours streams events; what could (a chunk that is never loaded) shares code with the rest, which then loads node:zlib. */
const noEventStreams: Plugin = {
  name: 'no-event-streams',
  setup(build) {
    build.onLoad(
      { filter: /[\\/]@smithy[\\/]core[\\/]dist-es[\\/]submodules[\\/]event-streams[\\/]index\.js$/ },
      () => ({
        contents: 'export {};',
      }),
    );
  },
};

/** DynamoDB has endpoints to discover only where that is asked for; the cache for them comes with a library of data structures. */
const noEndpointDiscovery: Plugin = {
  name: 'no-endpoint-discovery',
  setup(build) {
    build.onLoad({ filter: /[\\/]@aws-sdk[\\/]endpoint-cache[\\/]dist-es[\\/]index\.js$/ }, () => ({
      contents: 'export class EndpointCache {}',
    }));
  },
};

/** Of a region its partition is asked, which its pattern tells as well as a list of all regions with their descriptions. */
const regionsByPattern: Plugin = {
  name: 'regions-by-pattern',
  setup(build) {
    build.onLoad({ filter: /[\\/]util-endpoints[\\/]lib[\\/]aws[\\/]partitions\.js$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replaceAll(
        /("regions": )\{(?:\s*"[\w-]+": \{[^{}]*\},?)*\s*\}/g,
        '$1{}',
      ),
    }));
  },
};

/** Clients slow down by themselves only in the retry mode `adaptive`, which no function asks for. */
const noAdaptiveRetries: Plugin = {
  name: 'no-adaptive-retries',
  setup(build) {
    build.onLoad({ filter: /[\\/]@smithy[\\/]core[\\/]dist-es[\\/].*[\\/]DefaultRateLimiter\.js$/ }, () => ({
      contents: 'export class DefaultRateLimiter { async getSendToken() {} updateClientSendingRate() {} }',
    }));
  },
};

/** SHA-256 in JavaScript, for where node:crypto has none. */
const nativeSha256: Plugin = {
  name: 'native-sha256',
  setup(build) {
    build.onLoad({ filter: /[\\/]@smithy[\\/]core[\\/]dist-es[\\/].*[\\/]Sha256Js\.js$/ }, () => ({
      contents: 'export class Sha256Js {}',
    }));
  },
};

/** As a module it has each of its members read, which takes 3 ms; nobody wants more of it than these. */
const processAsGlobal: Plugin = {
  name: 'process-as-global',
  setup(build) {
    build.onResolve({ filter: /^(node:)?process$/ }, () => ({ path: 'process', namespace: 'process-as-global' }));
    build.onLoad({ filter: /./, namespace: 'process-as-global' }, () => ({
      contents: 'export default globalThis.process; export const { env, versions } = globalThis.process;',
    }));
  },
};
