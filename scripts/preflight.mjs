/**
 * What would stop Gantry on this machine, found before anything is changed. Pure but for the look at the port: every check
 * is a function of the facts and the plan, and answers with what, why and what to do, or with nothing.
 */
import { createServer } from 'node:net';
import { spaceNeededMib } from './packages.mjs';

/**
 * @typedef {object} Plan
 * @property {boolean} runsContainers
 * @property {string | undefined} npmReason why npm packages are to be installed
 * @property {import('./packages.mjs').Tool[]} missing tools to install
 * @property {string} dataDirectory
 * @property {number | undefined} port to be free on 127.0.0.1
 *
 * @typedef {{ what: string, why: string, todo: string }} Problem
 */

/**
 * @param {import('./machine.mjs').Facts} facts
 * @param {Plan} plan
 * @returns {Promise<Problem[]>}
 */
export async function preflight(facts, plan) {
  const system = needsLinux(facts, plan) ?? needsProcessor(facts);
  if (system) return [system]; // On another system the rest would be noise.
  const checks = [needsNode, needsNpm, needsRoot, needsCapabilities, needsPackageManager];
  const found = [...checks.map((check) => check(facts, plan)), ...needsSpace(facts, plan), await needsPort(plan)];
  return found.filter((problem) => problem !== undefined);
}

function needsLinux({ platform, osName }, { runsContainers }) {
  if (platform === 'linux' || !runsContainers) return undefined;
  return {
    what: `Containers cannot run on ${osName}.`,
    why: "A container is a Linux kernel's process, and Gantry runs it on the machine itself, without a virtual machine.",
    todo:
      'Use a Linux machine: an EC2 instance, or a virtual machine on this one (Lima, Multipass, UTM) with Debian 12. ' +
      '`npm test` runs here, without the container tests.',
  };
}

function needsProcessor({ platform, arch }) {
  if (platform !== 'linux' || arch === 'x64' || arch === 'arm64') return undefined;
  return {
    what: `There is no Node 24 package for this processor (${arch}).`,
    why: 'Gantry brings its own Node 24, for x86-64 and arm64.',
    todo: 'Use a machine with one of these processors.',
  };
}

function needsNode({ nodeVersion }) {
  if (Number.parseInt(nodeVersion, 10) >= 20) return undefined;
  return {
    what: `Node ${nodeVersion} is too old.`,
    why: 'The set-up needs Node 20 or later, with npm; Gantry itself then runs under the Node 24 of its npm packages.',
    todo: 'Install Node 20 or later (the nodejs package of your distribution, or a release of the Node.js project).',
  };
}

function needsNpm({ npm }, { npmReason }) {
  if (npm !== undefined || npmReason === undefined) return undefined;
  return {
    what: 'npm was not found.',
    why: `The npm packages must be installed (${npmReason}).`,
    todo: 'Install npm (the npm package of your distribution; it often comes with Node).',
  };
}

function needsRoot({ isRoot, sudo }, { runsContainers, missing }) {
  if (!runsContainers || isRoot || sudo !== 'none') return undefined;
  const names = missing.map(({ name }) => name).join(', ');
  return {
    what: 'This needs root, and sudo cannot be used here.',
    why: `Only root may make network namespaces, cgroups and mounts${names && `, and ${names} must be installed`}.`,
    todo: 'Run the same command as root, or as a user who may use sudo (at a terminal, if sudo asks for a password).',
  };
}

function needsCapabilities({ missingCapabilities }, { runsContainers }) {
  if (!runsContainers || missingCapabilities.length === 0) return undefined;
  return {
    what: 'Containers cannot be made here, although this is root.',
    why: `This root lacks ${missingCapabilities.join(', ')}, as in a container that was started without privileges.`,
    todo: 'Run it on the machine itself or in a virtual machine.',
  };
}

function needsPackageManager({ packageManager, osName, prefix }, { missing }) {
  const required = missing.filter(({ optional }) => !optional);
  if (required.length === 0 || packageManager !== undefined) return undefined;
  const binaries = required.flatMap((tool) => tool.binaries).join(', ');
  return {
    what: `${binaries} ${required.length === 1 ? 'is' : 'are'} missing, and there is no package manager here that set-up knows.`,
    why: `Set-up installs with apt-get and dpkg-deb (Debian, Ubuntu) or dnf (Amazon Linux 2023, Fedora); this is ${osName}.`,
    todo: `Install them yourself, on PATH or in ${prefix}/usr/bin, and run the command again.`,
  };
}

function needsSpace({ freeSpace, repository, prefix }, { npmReason, missing, runsContainers, dataDirectory }) {
  const wanted = [
    { path: repository, mib: npmReason ? spaceNeededMib.npmPackages : 0 },
    { path: prefix, mib: missing.length > 0 ? spaceNeededMib.packages : 0 },
    { path: dataDirectory, mib: runsContainers ? spaceNeededMib.data : 0 },
  ].filter(({ mib }) => mib > 0);
  const byDevice = new Map();
  for (const { path, mib } of wanted) {
    const { device, freeMib } = freeSpace(path);
    const entry = byDevice.get(device) ?? { paths: [], neededMib: 0, freeMib };
    entry.paths.push(path);
    entry.neededMib += mib;
    byDevice.set(device, entry);
  }
  return [...byDevice.values()].map(({ paths, neededMib, freeMib }) => {
    if (freeMib >= neededMib) return undefined;
    return {
      what: `There is too little disk space: ${freeMib} MiB free, ${neededMib} MiB needed.`,
      why: `It is for ${paths.join(', ')} (packages, images and data), all on one file system.`,
      todo: `Free ${neededMib - freeMib} MiB there.`,
    };
  });
}

async function needsPort({ port }) {
  if (port === undefined) return undefined;
  const code = await bindError(port);
  if (code === undefined) return undefined;
  return {
    what: `Port ${port} on 127.0.0.1 cannot be used (${code}).`,
    why:
      code === 'EADDRINUSE'
        ? 'Another program listens there; it may be a Gantry that is still up.'
        : 'The system refuses to listen there.',
    todo: `End it (\`npx gantry down\` if it is Gantry), or choose another port: \`npm run quickstart -- --port ${port === 8081 ? 8082 : 8081}\`.`,
  };
}

/**
 * @param {number} port
 * @returns {Promise<string | undefined>} the error's code
 */
function bindError(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (/** @type {NodeJS.ErrnoException} */ error) => resolve(error.code));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
