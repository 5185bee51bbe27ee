/**
 * What bundles begin with: packages of CommonJS ask for Node's own modules by `require`, which an ES module does not have. The name is
 * longer than any that the minifier makes, because esbuild does not look into a banner: a name that both use is a bundle that does not
 * start.
 */
export const requireBanner =
  "import{createRequire as createRequireOfBanner}from'node:module';const require=createRequireOfBanner(import.meta.url);";
