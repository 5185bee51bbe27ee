/** `docker run -d -p`, as a user of Docker does it, with the same image and limits. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultPidsLimit } from '../../agent/oci/resources.ts';
import type { Image } from '../../local/images/image.ts';
import { tarArchive } from '../../local/images/tar.ts';
import type { Contender } from './contender.ts';
import { containerPort, limits } from './definition.ts';
import { type DockerdOptions, startDockerd } from './dockerd.ts';
import { flags, runProgram } from './program.ts';

const imageName = 'gantry-bench:latest';

export async function dockerContender(options: DockerdOptions & { readonly image: Image }): Promise<Contender> {
  const dockerd = await startDockerd(options);
  const docker = (...args: string[]): Promise<string> => runProgram(dockerd.docker, ['--host', dockerd.host, ...args]);
  try {
    // From a file, because its namespace cannot reach a registry on the machine's loopback.
    const archive = join(options.directory, 'image.tar');
    writeFileSync(archive, loadArchive(options.image));
    await docker('load', '--quiet', '--input', archive);
  } catch (error) {
    await dockerd[Symbol.asyncDispose]();
    throw error;
  }
  const version = await docker('version', '--format', '{{.Server.Version}}');
  const limited = flags({
    detach: true,
    publish: containerPort,
    cpus: limits.cpuUnits / 1024,
    'cpu-shares': limits.cpuUnits,
    memory: `${limits.memoryMib}m`,
    'memory-swap': `${limits.memoryMib}m`,
    'pids-limit': defaultPidsLimit,
  });
  return {
    name: 'docker',
    means: `\`docker run -d -p\`, Docker ${version}; running: the command has ended`,
    callbackAddress: dockerd.machineAddress,
    async start(command) {
      const id = await docker('run', ...limited, imageName, ...command);
      return {
        runningAt: performance.now(),
        async remove() {
          await docker('rm', '--force', id);
        },
      };
    },
    [Symbol.asyncDispose]: () => dockerd[Symbol.asyncDispose](),
  };
}

/** The form of archive that `docker load` has always read. */
function loadArchive({ manifest, blobs }: Image): Buffer {
  const { config, layers }: { config: { digest: string }; layers: { digest: string }[] } = JSON.parse(
    manifest.bytes.toString('utf8'),
  );
  const fileOf = ({ digest }: { readonly digest: string }): string => digest.replace('sha256:', '');
  return tarArchive({
    ...Object.fromEntries(blobs.map((blob) => [`/${fileOf(blob)}`, blob.bytes])),
    '/manifest.json': JSON.stringify([
      { Config: fileOf(config), RepoTags: [imageName], Layers: layers.map((layer) => fileOf(layer)) },
    ]),
  });
}
