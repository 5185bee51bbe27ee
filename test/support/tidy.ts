/**
 * The laws that the text of the source must keep, as pure functions from files to complaints. Textual on purpose: an import or an
 * export is found by its words, not by a compiler, so each law can be read in a minute.
 */
import { posix } from 'node:path';

export interface SourceFile {
  /** Relative to the repository, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** What each room may import of the others, by the beginning of a path. A room that is not named here does not exist. */
const allowedImports: Readonly<Record<string, readonly string[]>> = {
  core: [],
  control: ['core/'],
  agent: ['core/'],
  client: ['core/'],
  cli: ['core/', 'client/'],
  local: ['control/', 'core/', 'agent/', 'client/'],
  lambdas: ['control/', 'core/'],
  lib: ['core/', 'control/store/keys.ts', 'control/store/table-shape.ts'],
  bin: [''],
  bench: [''],
  test: [''],
  scripts: ['bin/hand-over.mjs'],
};

/** Packages that few places alone may know. Tests may use them too. */
const singleImporters: readonly (readonly [packages: RegExp, ...importers: string[]])[] = [
  [/^@aws-sdk\/(client|lib|util)-dynamodb$/, 'control/store/dynamodb'],
  [/^@aws-sdk\/client-(ec2|pricing)$/, 'control/fleet/ec2/'],
  [/^@aws-sdk\/client-cloudwatch-logs$/, 'agent/logs/awslogs/'],
  [/^node:sqlite$/, 'control/store/sqlite'],
  [/^@bufbuild\/protobuf/, 'agent/containerd/'],
  [/^node:http2$/, 'agent/containerd/'],
  [/^(aws-cdk-lib|constructs)(\/|$)/, 'lib/', 'bin/app.ts', 'bench/cost/'],
];

/** Time, chance, environment and output reach the core as arguments. */
const impureInCore =
  /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bperformance\b|\bcrypto\b|\bprocess\.|\bglobalThis\b|\bfetch\(|\bset(?:Timeout|Interval|Immediate)\b/;

/** Started by name, not imported. */
const entryPoints = [
  'bin/gantry.ts',
  'bin/gantry.mjs',
  'bin/generate.ts',
  'bin/build.ts',
  'bin/app.ts',
  'bench/main.ts',
  'lib/index.ts',
  'client/index.ts',
];

/** Lambda's functions: the build finds them by their place. */
const isFunction = (path: string): boolean => /^lambdas\/\w+\/index\.ts$/.test(path);

/** Makes what is installed or checked in, and is not installed itself. */
const isBuild = (path: string): boolean => /^bin\/(build|compatibility\/)/.test(path);

/** What others than this repository import. */
const published = ['lib/index.ts', 'client/index.ts'];

const generated = 'agent/containerd/gen/';
const unchecked = ['test', 'bench', 'scripts'];
const maxColumns = 160;

export const roomOf = (path: string): string => path.slice(0, path.indexOf('/'));
const isProduct = ({ path }: SourceFile): boolean => !unchecked.includes(roomOf(path)) && !path.startsWith(generated);
const isTestCode = (path: string): boolean => roomOf(path) === 'test';

/** The code without its comments; without the content of quoted strings too, where only words of the code count. */
function codeOf(text: string, keepStrings: boolean): string {
  const tokens = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g;
  return text.replace(tokens, (token) => {
    if (token.startsWith('/')) return token.replaceAll(/[^\n]/g, ' ');
    return keepStrings || token.startsWith('`') ? token : "''";
  });
}

export interface Import {
  /** A path relative to the repository, or the name of a package. */
  readonly target: string;
  readonly isFile: boolean;
  /** Names taken from it; undefined when it is taken whole (namespace, dynamic, for its effect, or by its path). */
  readonly names: readonly string[] | undefined;
}

/** Static, type-only, dynamic and re-exporting imports, and files named by `import.meta.resolve`. */
export function importsOf({ path, text }: SourceFile): Import[] {
  const code = codeOf(text, true);
  const from = /^[ \t]*(?:import|export)\s+(?:type\s+)?([\w$*{}\s,]+?)\s+from\s*['"]([^'"]+)['"]/gm;
  const whole = /(?:^[ \t]*import\s*|\bimport(?:\.meta\.resolve)?\s*\(\s*)['"]([^'"]+)['"]/gm;
  const named = [...code.matchAll(from)].map(([, clause = '', specifier = '']) => ({
    specifier,
    names: namesIn(clause),
  }));
  const others = [...code.matchAll(whole)].map(([, specifier = '']) => ({ specifier, names: undefined }));
  return [...named, ...others].map(({ specifier, names }) => {
    const isFile = specifier.startsWith('.');
    return { target: isFile ? posix.join(posix.dirname(path), specifier) : specifier, isFile, names };
  });
}

/** `{ a, type b as c }` → a, b; a namespace or `*` takes everything. */
function namesIn(clause: string): readonly string[] | undefined {
  if (clause.includes('*')) return undefined;
  const braced = /\{([^}]*)\}/.exec(clause)?.[1] ?? '';
  const names = braced.split(',').map(
    (part) =>
      part
        .trim()
        .replace(/^type\s+/, '')
        .split(/\s+as\s+/)[0] ?? '',
  );
  const isDefault = /^[\w$]+/.test(clause.trim());
  return [...names.filter((name) => name !== ''), ...(isDefault ? ['default'] : [])];
}

export function forbiddenImports(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    importsOf(file).flatMap(({ target, isFile }) => importComplaint(file.path, target, isFile) ?? []),
  );
}

function importComplaint(path: string, target: string, isFile: boolean): string | undefined {
  const room = roomOf(path);
  const allowed = allowedImports[room];
  if (allowed === undefined)
    return `${path}: there is no room ${room}; ARCHITECTURE.md and test/support/tidy.ts name them all`;
  if (isFile) {
    if (target === 'package.json') return undefined; // The version: a build takes it into the program.
    if (roomOf(target) === room || allowed.some((prefix) => target.startsWith(prefix))) return undefined;
    return `${path}: ${room} may not import ${target}`;
  }
  if (room === 'core' && target !== 'zod') return `${path}: core may not import ${target}`;
  const [, ...importers] = singleImporters.find(([packages]) => packages.test(target)) ?? [];
  const isAllowed = importers.length === 0 || importers.some((importer) => path.startsWith(importer));
  if (isAllowed || isTestCode(path)) return undefined;
  return `${path}: ${target} may be imported by ${importers.join(' and ')} alone`;
}

/** Packages of a product room must be there when the product is installed. */
export function undeclaredPackages(files: readonly SourceFile[], dependencies: readonly string[]): string[] {
  const installed = files.filter((file) => isProduct(file) && !isBuild(file.path));
  return installed.flatMap((file) =>
    importsOf(file)
      .filter(
        ({ target, isFile }) => !isFile && !target.startsWith('node:') && !dependencies.includes(packageOf(target)),
      )
      .map(({ target }) => `${file.path}: ${target} is not among the dependencies of package.json`),
  );
}

export function unusedPackages(files: readonly SourceFile[], dependencies: readonly string[]): string[] {
  const used = new Set(files.flatMap(importsOf).map(({ target }) => packageOf(target)));
  return dependencies.filter((name) => !used.has(name)).map((name) => `package.json: nothing imports ${name}`);
}

const packageOf = (target: string): string => target.split('/', target.startsWith('@') ? 2 : 1).join('/');

export function impureCore(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => roomOf(path) === 'core')
    .flatMap(({ path, text }) => matchingLines(path, codeOf(text, false), impureInCore, 'does not belong in core'));
}

export function consoleUse(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => isProduct(file) && roomOf(file.path) !== 'bin')
    .flatMap(({ path, text }) =>
      matchingLines(path, codeOf(text, false), /\bconsole\.\w+/, 'does not belong in a product room'),
    );
}

export function longLines(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => !path.startsWith(generated))
    .flatMap(({ path, text }) =>
      matchingLines(path, text, new RegExp(`^.{${maxColumns}}(?=.)`), `… is longer than ${maxColumns} columns`),
    );
}

function matchingLines(path: string, code: string, pattern: RegExp, complaint: string): string[] {
  return code.split('\n').flatMap((line, index) => {
    const found = pattern.exec(line)?.[0];
    return found === undefined ? [] : [`${path}:${index + 1}: ${found.trim().slice(0, 60)} ${complaint}`];
  });
}

const isStarted = (path: string): boolean => entryPoints.includes(path) || isFunction(path);

/** Files of product rooms that nothing imports. */
export function deadFiles(files: readonly SourceFile[]): string[] {
  const imported = new Set(files.flatMap((file) => importsOf(file).map(({ target }) => target)));
  return files
    .filter((file) => isProduct(file) && !isStarted(file.path) && !imported.has(file.path))
    .map(({ path }) => `${path}: nothing imports this file`);
}

/** Exports of product rooms that no other file takes. A type may be exported for the signature of another export beside it. */
export function deadExports(files: readonly SourceFile[]): string[] {
  const imports = files.flatMap((file) => importsOf(file).filter(({ isFile }) => isFile));
  const takenWhole = new Set(imports.filter(({ names }) => names === undefined).map(({ target }) => target));
  const taken = new Set(imports.flatMap(({ target, names = [] }) => names.map((name) => `${target}#${name}`)));
  return files
    .filter(
      (file) =>
        isProduct(file) && !takenWhole.has(file.path) && !published.includes(file.path) && !isFunction(file.path),
    )
    .flatMap(({ path, text }) => {
      const code = codeOf(text, false);
      return exportsOf(code)
        .filter(({ name, isType }) => !taken.has(`${path}#${name}`) && !(isType && occurrences(code, name) > 1))
        .map(({ name }) => `${path}: nothing imports ${name}`);
    });
}

function exportsOf(code: string): { name: string; isType: boolean }[] {
  const declared =
    /^export (?:default )?(?:declare |async |abstract )*(function\*?|const|let|class|type|interface) ([\w$]+)/gm;
  const listed = /^export (type )?\{([^}]*)\}/gm;
  return [
    ...[...code.matchAll(declared)].map(([, kind = '', name = '']) => ({
      name,
      isType: /^(type|interface)$/.test(kind),
    })),
    ...[...code.matchAll(listed)].flatMap(([, type, list = '']) =>
      list
        .split(',')
        .map(
          (part) =>
            part
              .trim()
              .replace(/^type /, '')
              .split(' as ')
              .at(-1) ?? '',
        )
        .filter((name) => name !== '')
        .map((name) => ({ name, isType: type !== undefined })),
    ),
  ];
}

function occurrences(code: string, word: string): number {
  return code.split(/[^\w$]+/).filter((part) => part === word).length;
}

/** Decision records are `NNNN-title.md`, numbered without a gap or a double. */
export function misnumberedRecords(names: readonly string[]): string[] {
  return names.toSorted().flatMap((name, index) => {
    const expected = String(index + 1).padStart(4, '0');
    if (!/^\d{4}-[a-z0-9]+(-[a-z0-9]+)*\.md$/.test(name)) return [`docs/adr/${name}: must be named NNNN-title.md`];
    return name.startsWith(`${expected}-`) ? [] : [`docs/adr/${name}: number ${expected} is expected here`];
  });
}
