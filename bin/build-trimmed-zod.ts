/** Leaves out of a bundle what nobody uses of zod: three quarters of it, which a process would otherwise read and keep. */
import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

/** zod carries its messages in some fifty languages, 300 KB of them; it speaks English to us. */
export const englishOnly: Plugin = {
  name: 'english-only',
  setup(build) {
    build.onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
    }));
  },
};

/** zod's makers of JSON schemas, where nothing makes any. */
export const withoutJsonSchemas: Plugin = {
  name: 'without-json-schemas',
  setup(build) {
    build.onLoad(
      { filter: /[\\/]zod[\\/]v4[\\/]core[\\/](to-json-schema|json-schema-processors)\.js$/ },
      async ({ path }) => {
        const exported = (await readFile(path, 'utf8')).matchAll(/^export (?:async )?(?:function|const) (\w+)/gm);
        const stubs = [...exported].map(([, name = '']) => `export const ${name} = absent;`);
        const absent = "const absent = () => { throw new Error('JSON schemas are left out of this build'); };";
        return { contents: [absent, ...stubs].join('\n') };
      },
    );
  },
};

/** `import { z }` is an object with all of zod in it; a namespace import leaves out what nobody names. */
export const namedOnly = (code: string): string =>
  code.replace("import { z } from 'zod';", "import * as z from 'zod';");
