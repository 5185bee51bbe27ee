/** Variables as lines for a shell. */

export const exportLines = (environment: Readonly<Record<string, string>>): string[] =>
  Object.entries(environment).map(([name, value]) => `export ${name}=${value}`);
