/**
 * The guest's disk, kernel and initial RAM disk, made once and kept under a hash of the recipe, with a certificate authority that guests
 * made of it trust (and nobody else). Two runs that make it at the same time make it twice, and the first one stays.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type CertificateAuthority, makeAuthority } from './certificates.ts';
import { type ImageRecipe, imageRecipe } from './image-recipe.ts';

const cache = '/var/cache/gantry';

export interface GuestImage {
  /** Whole and read-only: guests write into a layer of their own. */
  readonly disk: string;
  readonly kernel: string;
  readonly initrd: string;
  readonly authority: CertificateAuthority;
}

/** @param say is told what is being done, as it takes a minute the first time */
export function guestImage(say: (line: string) => void): GuestImage {
  const digest = createHash('sha256').update(JSON.stringify(imageRecipe)).digest('hex').slice(0, 12);
  const directory = join(cache, `guest-${digest}`);
  if (existsSync(directory)) say(`the guest's image is there: ${directory}`);
  else {
    say(
      `making the guest's image from ${imageRecipe.packages.length} Debian packages and what they need: ${directory}`,
    );
    const started = performance.now();
    build(directory);
    say(`the guest's image is made, in ${((performance.now() - started) / 1000).toFixed(0)} s`);
  }
  return {
    disk: join(directory, 'disk.img'),
    kernel: join(directory, 'vmlinuz'),
    initrd: join(directory, 'initrd.img'),
    authority: { certificate: join(directory, 'ca.pem'), key: join(directory, 'ca.key') },
  };
}

function build(directory: string): void {
  mkdirSync(dirname(directory), { recursive: true });
  removeAbandoned(dirname(directory));
  const work = join(dirname(directory), `${workName}${process.pid}`);
  mkdirSync(work);
  try {
    const root = join(work, 'root');
    const result = join(work, 'result');
    mkdirSync(result);
    const authority = makeAuthority(result);
    makeRoot(root, join(work, 'files'), authority);
    for (const [pattern, name] of [
      [/^vmlinuz-/, 'vmlinuz'],
      [/^initrd\.img-/, 'initrd.img'],
    ] as const) {
      const found = readdirSync(join(root, 'boot')).find((file) => pattern.test(file));
      if (found === undefined) throw new Error(`The guest's packages brought no ${name}.`);
      cpSync(join(root, 'boot', found), join(result, name));
    }
    run('mkfs.ext4', ['-q', '-d', root, join(result, 'disk.img'), `${imageRecipe.diskGib}G`]);
    if (!existsSync(directory)) renameSync(result, directory);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const workName = '.making-';

/** What a run left that was killed. */
function removeAbandoned(parent: string): void {
  const abandoned = readdirSync(parent).filter(
    (name) => name.startsWith(workName) && !existsSync(`/proc/${name.slice(workName.length)}`),
  );
  for (const name of abandoned) rmSync(join(parent, name), { recursive: true, force: true });
}

function makeRoot(root: string, files: string, authority: CertificateAuthority): void {
  for (const [path, content] of Object.entries(imageRecipe.files)) {
    mkdirSync(dirname(join(files, path)), { recursive: true });
    writeFileSync(join(files, path), content);
  }
  const options = [
    ['--mode=root', '--variant=minbase', '--quiet', `--include=${imageRecipe.packages.join(',')}`],
    ['--aptopt=APT::Install-Recommends "false"', '--aptopt=Acquire::Languages "none"'],
    ['doc', 'man', 'locale', 'info'].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`),
    // Before the kernel's package, which makes the initial RAM disk.
    [`--essential-hook=cp -a '${files}/.' "$1"/`],
  ];
  run('mmdebstrap', [...options.flat(), imageRecipe.suite, root]);
  // Again, as packages and mmdebstrap write some of them too.
  cpSync(files, root, { recursive: true });
  cpSync(authority.certificate, join(root, 'usr/local/share/ca-certificates/gantry-test.crt'));
  run('chroot', [root, 'update-ca-certificates', '--fresh']);
  for (const [verb, units] of unitChanges(imageRecipe)) run('chroot', [root, 'systemctl', '--quiet', verb, ...units]);
}

const unitChanges = ({ enabled, disabled, masked }: ImageRecipe) =>
  [
    ['enable', enabled],
    ['disable', disabled],
    ['mask', masked],
  ] as const;

function run(command: string, args: readonly string[]): void {
  const { status, error, stdout, stderr } = spawnSync(command, [...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ended with ${error?.message ?? status}:\n${stdout}${stderr}`);
}
