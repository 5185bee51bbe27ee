/**
 * Where the built parts are that the constructs carry to AWS: `dist/`, which `npm run build` makes in a clone and which a package
 * brings. Builds nothing.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Construct } from 'constructs';

/** lib/bundles.ts in a clone; a part of dist/lib/, as JavaScript, in a package. */
const here = fileURLToPath(import.meta.url);
const beside = dirname(dirname(here));
const builtWithThis = here.endsWith('.ts') ? join(beside, 'dist') : beside;

/** Context key that names another directory of built parts. */
const distContext = 'gantry:dist';

/** The directory of a built part, for example `lambdas/api`. Throws where it was not built. */
export function bundlePath(scope: Construct, part: string): string {
  const dist: unknown = scope.node.tryGetContext(distContext);
  const path = join(typeof dist === 'string' ? dist : builtWithThis, part);
  if (existsSync(path)) return path;
  throw new Error(
    `${scope.node.path}: ${path} does not exist. In a clone of Gantry, \`npm run build\` makes it; a package brings it, so reinstall that.`,
  );
}
