/** The registry client against a registry in memory that misbehaves on purpose. */
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { defaultHttpLimits } from '../../../agent/images/http.ts';
import { parseReference } from '../../../agent/images/reference.ts';
import { RegistryClient, type RegistryOptions } from '../../../agent/images/registry.ts';
import { RegistryPauses, retrying } from '../../../agent/images/retry.ts';
import { RuntimeFailure } from '../../../agent/runtime.ts';
import { buildImage, buildIndex, type Image } from '../../../local/images/image.ts';
import { type FakeRegistry, type Interception, silentBody, startFakeRegistry } from '../../support/fake-registry.ts';

const { signal } = new AbortController();
const credentials = { username: 'ada', password: 's3cr:t' };
const basicOfAda = `Basic ${Buffer.from('ada:s3cr:t').toString('base64')}`;
const image = await buildImage({ layers: [{ '/hello': 'hello' }] });
const layer = layerOf(image);

function layerOf({ blobs }: Image) {
  const blob = blobs.at(-1);
  if (blob === undefined) throw new Error('no layer');
  return { mediaType: blob.mediaType, digest: blob.digest, size: blob.bytes.length, bytes: blob.bytes };
}

function clientFor(registry: FakeRegistry, options: RegistryOptions = {}): RegistryClient {
  return new RegistryClient(parseReference(registry.publish(image)), options);
}

async function failureOf(promise: Promise<unknown>): Promise<RuntimeFailure> {
  const error = await promise.then(
    () => new Error('it succeeded'),
    (reason: unknown) => reason,
  );
  if (error instanceof RuntimeFailure) return error;
  throw error;
}

async function read(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of bytes) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe('manifests', () => {
  it('are fetched by tag and digest, asking for all four media types', async () => {
    await using registry = await startFakeRegistry();
    const client = clientFor(registry);
    const byTag = await client.manifest('latest', signal);
    expect(byTag).toMatchObject({ digest: image.manifest.digest, mediaType: image.manifest.mediaType });
    expect(await client.manifest(image.manifest.digest, signal)).toEqual(byTag);
    expect(await client.digestOf('latest', signal)).toBe(image.manifest.digest);
    const accept = registry.requests[0]?.headers.get('accept') ?? '';
    for (const kind of [
      'oci.image.index.v1',
      'distribution.manifest.list.v2',
      'oci.image.manifest.v1',
      'distribution.manifest.v2',
    ])
      expect(accept).toContain(kind);
  });

  it('must be what their digest says', async () => {
    await using registry = await startFakeRegistry();
    const client = clientFor(registry);
    const other = await buildImage({ layers: [{ '/other': 'other' }] });
    registry.intercept = ({ method }) =>
      new Response(method === 'HEAD' ? null : new Uint8Array(other.manifest.bytes), {
        headers: { 'content-type': other.manifest.mediaType, 'docker-content-digest': image.manifest.digest },
      });
    for (const name of ['latest', image.manifest.digest]) {
      const failure = await failureOf(client.manifest(name, signal));
      expect(failure.kind).toBe('CannotPullImageManifestError');
      expect(failure.message).toContain(`promised ${image.manifest.digest} and sent ${other.manifest.digest}`);
    }
  });

  it.each([
    [
      'a type of old',
      'application/vnd.docker.distribution.manifest.v1+prettyjws',
      '{"schemaVersion":1}',
      'manifest.v1+prettyjws',
    ],
    ['a web page', 'text/html', '<html>', 'text/html'],
    ['five megabytes', 'application/vnd.oci.image.manifest.v1+json', 'x'.repeat(5 << 20), 'larger than'],
  ])('are refused when they are %s', async (_, contentType, body, why) => {
    await using registry = await startFakeRegistry();
    registry.intercept = () => new Response(body, { headers: { 'content-type': contentType } });
    const failure = await failureOf(clientFor(registry).manifest('latest', signal));
    expect(failure).toMatchObject({ kind: 'CannotPullImageManifestError', retryable: false });
    expect(failure.message).toContain(why);
  });

  it('that do not exist are told with image, registry and its own words', async () => {
    await using registry = await startFakeRegistry();
    registry.publish(image);
    const client = new RegistryClient(parseReference(`${registry.host}/team/app:nope`));
    const failure = await failureOf(client.manifest('nope', signal));
    expect(failure).toMatchObject({ kind: 'CannotPullImageManifestError', retryable: false });
    expect(failure.message).toContain(`"${registry.host}/team/app:nope"`);
    expect(failure.message).toContain(`from ${registry.host}: not found (it says: MANIFEST_UNKNOWN: nope is unknown)`);
  });

  it('are known as an index by their own word, whatever the header says', async () => {
    await using registry = await startFakeRegistry();
    const { manifest } = buildIndex([image]);
    registry.intercept = () =>
      new Response(new Uint8Array(manifest.bytes), { headers: { 'content-type': 'text/plain' } });
    expect(await clientFor(registry).manifest('latest', signal)).toMatchObject({ mediaType: manifest.mediaType });
  });
});

describe('authorization', () => {
  /** A registry that wants `Bearer good` and gives it to whom the test says. */
  function wantBearer(registry: FakeRegistry, give: (authorization: string | null) => boolean): void {
    registry.intercept = ({ path, headers }) => {
      if (path === '/token') {
        const isGiven = give(headers.get('authorization'));
        return isGiven ? Response.json({ token: 'good' }) : new Response(null, { status: 401 });
      }
      if (headers.get('authorization') === 'Bearer good') return undefined;
      const challenge = `Bearer realm="http://${registry.host}/token",service="fake"`;
      return new Response(null, { status: 401, headers: { 'www-authenticate': challenge } });
    };
  }

  it('fetches a token, with the credentials, once for all requests', async () => {
    await using registry = await startFakeRegistry();
    wantBearer(registry, (authorization) => authorization === basicOfAda);
    const client = clientFor(registry, { credentials });
    await client.manifest('latest', signal);
    await read(client.blob(layer, 0, signal));
    const tokens = registry.requests.filter(({ path }) => path === '/token');
    expect(tokens).toHaveLength(1);
    expect(Object.fromEntries(tokens[0]?.query ?? [])).toEqual({ service: 'fake', scope: 'repository:team/app:pull' });
  });

  it('fetches a token without credentials for what is public', async () => {
    await using registry = await startFakeRegistry();
    wantBearer(registry, (authorization) => authorization === null);
    await expect(clientFor(registry).manifest('latest', signal)).resolves.toBeDefined();
  });

  it('fetches another token when the first has expired', async () => {
    await using registry = await startFakeRegistry();
    let valid = 0;
    registry.intercept = ({ path, headers }) => {
      if (path === '/token') return Response.json({ access_token: `t${++valid}` });
      if (headers.get('authorization') === `Bearer t${valid}`) return undefined;
      return new Response(null, {
        status: 401,
        headers: { 'www-authenticate': `Bearer realm="http://${registry.host}/token"` },
      });
    };
    const client = clientFor(registry);
    await client.manifest('latest', signal);
    valid += 1; // Nobody has this one: t1 is refused from now on.
    await expect(client.manifest('latest', signal)).resolves.toBeDefined();
  });

  it('says which credentials were refused', async () => {
    await using registry = await startFakeRegistry();
    wantBearer(registry, () => false);
    const failure = await failureOf(clientFor(registry, { credentials }).manifest('latest', signal));
    expect(failure).toMatchObject({ kind: 'CannotPullContainerAuthError', retryable: false });
    expect(failure.message).toContain(`refused the credentials for ${registry.host}`);
    expect(failure.message).not.toContain(credentials.password);
  });

  it('uses Basic where the registry wants it, and says when there are no credentials', async () => {
    await using registry = await startFakeRegistry();
    registry.intercept = ({ headers }) =>
      headers.get('authorization') === basicOfAda
        ? undefined
        : new Response(null, { status: 401, headers: { 'www-authenticate': 'Basic realm="fake"' } });
    await expect(clientFor(registry, { credentials }).manifest('latest', signal)).resolves.toBeDefined();
    const failure = await failureOf(clientFor(registry).manifest('latest', signal));
    expect(failure.kind).toBe('CannotPullContainerAuthError');
    expect(failure.message).toContain('wants credentials and there are none');
  });

  it('does not answer what it does not know', async () => {
    await using registry = await startFakeRegistry();
    registry.intercept = () => new Response(null, { status: 401, headers: { 'www-authenticate': 'Negotiate' } });
    const failure = await failureOf(clientFor(registry, { credentials }).manifest('latest', signal));
    expect(failure.kind).toBe('CannotPullContainerAuthError');
    expect(failure.message).toContain('"Negotiate"');
  });

  it('never follows a redirect to another origin with credentials', async () => {
    await using registry = await startFakeRegistry();
    await using storage = await startFakeRegistry();
    storage.publish(image);
    registry.intercept = ({ path, headers }) => {
      if (headers.get('authorization') !== basicOfAda)
        return new Response(null, { status: 401, headers: { 'www-authenticate': 'Basic realm="fake"' } });
      if (path.includes('/blobs/')) return Response.redirect(`http://${storage.host}${path}`, 307);
      return undefined;
    };
    const bytes = await read(clientFor(registry, { credentials }).blob(layer, 0, signal));
    expect(bytes.equals(layer.bytes)).toBe(true);
    expect(storage.requests.map(({ headers }) => headers.get('authorization'))).toEqual([null]);
  });
});

describe('TLS', () => {
  it('is left out on loopback and for registries that are named as insecure alone', async () => {
    await using registry = await startFakeRegistry();
    registry.publish(image);
    // An address of loopback that is not written like one.
    const host = registry.host.replace('127.0.0.1', '127.1');
    const reference = parseReference(`${host}/team/app`);
    const failure = await failureOf(new RegistryClient(reference).manifest('latest', signal));
    expect(failure.kind).toBe('CannotPullContainerError');
    expect(failure.message).toContain('does not speak TLS');
    const insecure = new RegistryClient(reference, { insecureRegistries: [host] });
    await expect(insecure.manifest('latest', signal)).resolves.toMatchObject({ digest: image.manifest.digest });
  });

  it('is not given up for a token by a realm of another scheme', async () => {
    await using registry = await startFakeRegistry();
    registry.intercept = () =>
      new Response(null, { status: 401, headers: { 'www-authenticate': 'Bearer realm="ftp://example.com/token"' } });
    const failure = await failureOf(clientFor(registry, { credentials }).manifest('latest', signal));
    expect(failure.kind).toBe('CannotPullContainerAuthError');
    expect(failure.message).toContain('ftp://example.com/token');
  });
});

describe('redirects', () => {
  it.each([
    ['in a circle', (host: string) => `http://${host}/v2/team/app/manifests/latest`, 'redirects more than 5 times'],
    ['to a file', () => 'file:///etc/passwd', 'redirects from http:// to file://'],
    ['to nowhere', () => 'http://', 'redirects without saying where to'],
  ])('%s are refused', async (_, target, why) => {
    await using registry = await startFakeRegistry();
    registry.intercept = () => new Response(null, { status: 307, headers: { location: target(registry.host) } });
    const failure = await failureOf(clientFor(registry).manifest('latest', signal));
    expect(failure).toMatchObject({ kind: 'CannotPullContainerError', retryable: false });
    expect(failure.message).toContain(why);
  });
});

describe('blobs', () => {
  it('are read from an offset, by range or, where the registry ignores it, by skipping', async () => {
    await using registry = await startFakeRegistry();
    const client = clientFor(registry);
    expect((await read(client.blob(layer, 7, signal))).equals(layer.bytes.subarray(7))).toBe(true);
    registry.intercept = () => new Response(new Uint8Array(layer.bytes));
    expect((await read(client.blob(layer, 7, signal))).equals(layer.bytes.subarray(7))).toBe(true);
  });

  it('that end early or break off are worth another try', async () => {
    await using registry = await startFakeRegistry();
    const client = clientFor(registry);
    const part = new Uint8Array(layer.bytes.subarray(0, 9));
    const answers: Interception[] = [() => new Response(part), (request) => new Response(request.brokenBody(part))];
    for (const answer of answers) {
      registry.intercept = answer;
      const failure = await failureOf(read(client.blob(layer, 0, signal)));
      expect(failure).toMatchObject({ kind: 'CannotPullContainerError', retryable: true });
      expect(failure.message).toMatch(/\bEOF\b/);
    }
  });

  it('that are longer than promised are refused', async () => {
    await using registry = await startFakeRegistry();
    const client = clientFor(registry);
    registry.intercept = () => new Response(new Uint8Array(Buffer.concat([layer.bytes, layer.bytes])));
    const failure = await failureOf(read(client.blob(layer, 0, signal)));
    expect(failure).toMatchObject({ kind: 'CannotPullContainerError', retryable: false });
    expect(failure.message).toContain(`more than ${layer.size} bytes`);
    expect((await failureOf(client.smallBlob(layer, signal))).message).toContain(`more than ${layer.size} bytes`);
  });

  it('that are small are checked against their digest', async () => {
    await using registry = await startFakeRegistry();
    const client = clientFor(registry);
    registry.intercept = () => new Response('x'.repeat(layer.size));
    expect((await failureOf(client.smallBlob(layer, signal))).message).toContain(`wrong content for ${layer.digest}`);
  });
});

describe('a registry that is away', () => {
  it('by a refused connection is told so', async () => {
    const probe = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => probe.once('listening', resolve));
    const address = probe.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    await new Promise((resolve) => probe.close(resolve));
    const client = new RegistryClient(parseReference(`127.0.0.1:${port}/app`));
    const failure = await failureOf(client.manifest('latest', signal));
    expect(failure).toMatchObject({ kind: 'CannotPullContainerError', retryable: true });
    expect(failure.message).toContain(`"127.0.0.1:${port}/app" could not be pulled from 127.0.0.1:${port}`);
    expect(failure.message).toContain('connection refused');
  });

  it('by a name that does not exist is told so', async () => {
    const client = new RegistryClient(parseReference('gantry.invalid/app'));
    const failure = await failureOf(client.manifest('latest', signal));
    expect(failure).toMatchObject({ kind: 'CannotPullContainerError', retryable: true });
    expect(failure.message).toMatch(/gantry\.invalid (does not exist|could not be looked up)/);
  });

  it('by hanging is a timeout', async () => {
    await using registry = await startFakeRegistry();
    registry.intercept = () => new Promise(() => {});
    const limits = { ...defaultHttpLimits, answerTimeoutMs: 50 };
    const failure = await failureOf(clientFor(registry, { limits }).manifest('latest', signal));
    expect(failure).toMatchObject({ kind: 'CannotPullContainerError', retryable: true });
    expect(failure.message).toContain('did not answer within 0.05 s (i/o timeout)');
  });

  it('by falling silent in a blob is a timeout', async () => {
    await using registry = await startFakeRegistry();
    registry.intercept = () => new Response(silentBody(new Uint8Array(layer.bytes.subarray(0, 4))));
    const limits = { ...defaultHttpLimits, inactivityTimeoutMs: 50 };
    const failure = await failureOf(read(clientFor(registry, { limits }).blob(layer, 0, signal)));
    expect(failure).toMatchObject({ kind: 'CannotPullContainerError', retryable: true });
    expect(failure.message).toContain('sent nothing for 0.05 s (i/o timeout)');
  });

  it('by a server that hangs up is an EOF', async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    const client = new RegistryClient(
      parseReference(`127.0.0.1:${typeof address === 'object' ? address?.port : ''}/app`),
    );
    const failure = await failureOf(client.manifest('latest', signal));
    await new Promise((resolve) => server.close(resolve));
    expect(failure.message).toMatch(/\bEOF\b/);
  });

  it('is asked again a few times, and not for what it refuses for good', async () => {
    await using registry = await startFakeRegistry();
    const client = clientFor(registry);
    const retry = { failuresInRow: 3, firstMs: 1, longestMs: 1, patienceMs: 0 };
    const progress = { waits: () => {} };
    const context = { image: parseReference('app'), retry, pauses: new RegistryPauses(), progress, signal };
    const statuses = [503, 429, 200];
    registry.intercept = () => {
      const status = statuses.shift();
      return status === 200 ? undefined : new Response(null, { status: status ?? 400 });
    };
    await expect(retrying(context, () => client.manifest('latest', signal))).resolves.toBeDefined();
    const failure = await failureOf(retrying(context, () => client.manifest('latest', signal)));
    expect(failure.message).toContain('HTTP status 400');
    expect(registry.requests).toHaveLength(4);
  });

  it('is not waited for by who has given up', async () => {
    await using registry = await startFakeRegistry();
    const gaveUp = new AbortController();
    const reason = new Error('stopped');
    registry.intercept = () => {
      gaveUp.abort(reason);
      return new Promise(() => {});
    };
    await expect(clientFor(registry).manifest('latest', gaveUp.signal)).rejects.toBe(reason);
  });
});
