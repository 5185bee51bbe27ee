/**
 * Images out of the machine's own static busybox, for where no public registry can be reached: a shell, a web server and some
 * two hundred small tools in one layer. It reads the binary and lists its applets; it changes nothing on the machine.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { hostToolsPath } from '../containerd.ts';
import { buildImage, type Image, type ImageSpec } from './image.ts';
import type { LayerEntries } from './tar.ts';

const execute = promisify(execFile);

const defaultPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** `layers` come on top of busybox' own; `Env` gets a PATH where it names none, and `Cmd` is a shell where nothing else is said. */
export async function busyboxImage({ config = {}, layers = [], ...rest }: Partial<ImageSpec> = {}): Promise<Image> {
  const env = config.Env ?? [];
  const hasPath = env.some((variable) => variable.startsWith('PATH='));
  return buildImage({
    ...rest,
    config: {
      ...(config.Entrypoint === undefined && config.Cmd === undefined ? { Cmd: ['sh'] } : {}),
      ...config,
      Env: hasPath ? env : [defaultPath, ...env],
    },
    layers: [await busyboxLayer(), ...layers],
  });
}

/** The root file system: /bin with a link for each applet, the usual directories, and the users root, app (1000) and nobody. */
export async function busyboxLayer(): Promise<LayerEntries> {
  const binary = await findStaticBusybox();
  const { stdout } = await execute(binary, ['--list']);
  const applets = stdout.split('\n').filter((name) => name !== '' && name !== 'busybox');
  return {
    '/bin/busybox': { content: await readFile(binary), mode: 0o755 },
    ...Object.fromEntries(applets.map((name) => [`/bin/${name}`, { symlink: 'busybox' }])),
    '/etc/passwd': [
      'root:x:0:0:root:/root:/bin/sh',
      'app:x:1000:1000:app:/home/app:/bin/sh',
      'nobody:x:65534:65534:nobody:/nonexistent:/bin/false',
      '',
    ].join('\n'),
    '/etc/group': ['root:x:0:', 'tty:x:5:', 'app:x:1000:', 'nogroup:x:65534:', ''].join('\n'),
    '/root': { directory: true, mode: 0o700 },
    '/home/app': { directory: true, uid: 1000, gid: 1000 },
    '/tmp': { directory: true, mode: 0o1777 },
    '/var/tmp': { directory: true, mode: 0o1777 },
    '/dev': { directory: true },
    '/proc': { directory: true },
    '/run': { directory: true },
    '/sys': { directory: true },
  };
}

/**
 * Answers the path of a busybox that needs no shared library. Distributions also have one that does, under the same name.
 * Throws an Error that says what to do when there is none.
 */
export async function findStaticBusybox(path: string = hostToolsPath()): Promise<string> {
  for (const dir of path.split(delimiter)) {
    const candidate = join(dir, 'busybox');
    const bytes = await readFile(candidate).catch(() => undefined); // Not there, or not for us: look in the next directory.
    if (bytes !== undefined && isStaticElf(bytes)) return candidate;
  }
  throw new Error(
    'No statically linked busybox was found. Run the set-up of a clone of Gantry (npm run quickstart), or install one on PATH.',
  );
}

/** A 64-bit little-endian ELF program without an interpreter segment (a dynamic linker). */
function isStaticElf(file: Buffer): boolean {
  const interpreterSegment = 3;
  if (file.length < 64 || file.readUInt32BE(0) !== 0x7f454c46 || file[4] !== 2) return false;
  const tableOffset = Number(file.readBigUInt64LE(32));
  const entryBytes = file.readUInt16LE(54);
  const entries = Array.from({ length: file.readUInt16LE(56) }, (_, index) => tableOffset + index * entryBytes);
  return entries.every((offset) => file.readUInt32LE(offset) !== interpreterSegment);
}
