/**
 * What a host's updater reaches of AWS, on loopback: instance metadata, SSM and S3 under their real names. Curl is led there by its own
 * configuration, so the script runs as it is.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FakeMetadata, fakeRole, startFakeMetadata } from '../../support/fake-metadata.ts';
import { ReleaseStore } from '../../support/release-store.ts';

export const region = 'eu-central-1';
export const bucket = 'assets-of-eu';
export const parameter = 'CFN-Release-abc123';

export interface AwsForHosts extends AsyncDisposable {
  readonly metadata: FakeMetadata;
  readonly store: ReleaseStore;
  /** A directory whose `.curlrc` leads curl here (CURL_HOME). */
  readonly curlHome: string;
}

export async function startAwsForHosts(): Promise<AwsForHosts> {
  const curlHome = mkdtempSync(join(tmpdir(), 'gantry-curl-'));
  const metadata = await startFakeMetadata();
  const credentials = { ...fakeRole, sessionToken: 'session token' };
  const credentialsOf = (keyId: string) => (keyId === fakeRole.accessKeyId ? credentials : undefined);
  const store = new ReleaseStore({ region, bucket, parameter, credentialsOf });
  const certificate = certificateFor(store.names);
  const server = createServer(certificate, (request, response) => void store.answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  writeFileSync(join(curlHome, 'certificate.pem'), certificate.cert);
  writeFileSync(
    join(curlHome, '.curlrc'),
    [
      `connect-to = "169.254.169.254:80:${metadata.url.replace('http://', '')}"`,
      `connect-to = ":443:127.0.0.1:${port}"`,
      `cacert = "${join(curlHome, 'certificate.pem')}"`,
    ].join('\n'),
  );
  return {
    metadata,
    store,
    curlHome,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      await metadata[Symbol.asyncDispose]();
      rmSync(curlHome, { recursive: true, force: true });
    },
  };
}

interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** Made once: every server here has the same names. */
let made: Certificate | undefined;

function certificateFor(names: readonly string[]): Certificate {
  made ??= makeCertificate(names);
  return made;
}

function makeCertificate(names: readonly string[]): Certificate {
  const alternatives = names.map((name) => `DNS:${name}`).join(',');
  const options =
    '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=loopback -keyout - -out -';
  const pem = execFileSync('openssl', ['req', ...options.split(' '), '-addext', `subjectAltName=${alternatives}`], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const block = (kind: string): string => new RegExp(`-+BEGIN ${kind}-+[^-]+-+END ${kind}-+`).exec(pem)?.[0] ?? '';
  return { key: block('PRIVATE KEY'), cert: block('CERTIFICATE') };
}
