/**
 * The emulator as a process of this test, on loopback, with IAM policies enforced. Knows how it is started, spoken to and ended; what
 * is done with it is the test's.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../support/cloud.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

export interface Emulator extends AsyncDisposable {
  readonly port: number;
  /** Where AWS' own APIs are: an address, because an SDK uses S3's path style with nothing else. */
  readonly endpoint: string;
  /** PEM of the certificate that it serves. */
  readonly certificate: string;
  /** Scratch directory; gone with the emulator. */
  readonly directory: string;
  /** What the AWS CLI and the CDK CLI need to speak to it and to nothing else. */
  readonly env: NodeJS.ProcessEnv;
  /** What it has written. */
  log(): string;
}

const account = { id: '000000000000', region: 'us-east-1' };

/** Policies are enforced over TLS alone, so that is how everything speaks to it. */
export async function startEmulator(): Promise<Emulator> {
  const python = process.env.GANTRY_EMULATOR_PYTHON;
  if (python === undefined) throw new Error('Run `npm run test:emulator`, which installs the emulator.');
  // Its Lambda functions are Node programs below this directory: none of its parents may have a package.json.
  const directory = mkdtempSync('/var/tmp/gantry-emulator-');
  const logFile = join(directory, 'log');
  const output = openSync(logFile, 'a');
  const port = await freePort();
  const child = spawn(python, ['-m', 'ministack'], {
    cwd: directory,
    env: {
      PATH: process.env.PATH,
      HOME: directory,
      TMPDIR: directory,
      BIND_HOST: '127.0.0.1',
      GATEWAY_PORT: `${port}`,
      AUTH: 'true',
      USE_SSL: '1',
      IOT_MTLS_ENABLED: '0',
      // The functions of the CDK's own custom resources expect these clients from Lambda's runtime.
      NODE_PATH: join(root, 'node_modules'),
      // Functions inherit this environment: their clients must trust the emulator's certificate.
      NODE_EXTRA_CA_CERTS: join(directory, 'ministack-tls/server.crt'),
      NODE_NO_WARNINGS: '1',
    },
    stdio: ['ignore', output, output],
  });
  const endpoint = `https://127.0.0.1:${port}`;
  const log = () => readFileSync(logFile, 'utf8');
  const certificateFile = join(directory, 'ministack-tls/server.crt');
  const exited = once(child, 'exit');
  while (!(await isHealthy(port, certificateFile))) {
    if (child.exitCode !== null) throw new Error(`The emulator ended with ${child.exitCode}:\n${log()}`);
    await delay(100);
  }
  return {
    port,
    endpoint,
    directory,
    certificate: readFileSync(certificateFile, 'utf8'),
    env: {
      PATH: process.env.PATH,
      HOME: directory,
      CDK_HOME: join(directory, 'cdk'),
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_REGION: account.region,
      AWS_DEFAULT_REGION: account.region,
      AWS_ENDPOINT_URL: endpoint,
      AWS_CA_BUNDLE: certificateFile,
      NODE_EXTRA_CA_CERTS: certificateFile,
      AWS_EC2_METADATA_DISABLED: 'true',
      CDK_DISABLE_VERSION_CHECK: '1',
    },
    log,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL'); // It takes no other signal in time, and leaves its functions behind with either.
      await exited;
      endFunctions(directory);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function isHealthy(port: number, certificateFile: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  try {
    const request = get({ host: '127.0.0.1', port, path: '/_ministack/health', ca: readFileSync(certificateFile) });
    request.on('response', (answer) => resolve(answer.resume().statusCode === 200));
    request.on('error', () => resolve(false));
  } catch {
    return false; // It has not written its certificate yet.
  }
  return promise;
}

/** The functions' processes, which are orphans now: those that work below the emulator's directory. */
function endFunctions(directory: string): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const places = [readlinkSync(`/proc/${pid}/cwd`), readFileSync(`/proc/${pid}/cmdline`, 'utf8')];
      if (places.some((place) => place.includes(directory))) process.kill(Number(pid), 'SIGKILL');
    } catch {
      // Ended meanwhile.
    }
  }
}
