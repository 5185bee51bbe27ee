/** The certificates of one machine's control plane, as clients of its server see them: which is shown to whom, and what a renewal keeps. */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authorityOf, pinOf } from '../../client/authority.ts';
import { createHttpServer } from '../../local/http-server.ts';
import { cloudPaths } from '../../local/options.ts';
import { issue, makeAuthority, newKey } from '../../local/tls/authority.ts';
import { openTls, type ServerTls } from '../../local/tls/server-tls.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'gantry-tls-'));
const paths = cloudPaths({ dataDir, runDir: dataDir });
const now = Date.now();
const dayMs = 24 * 3600_000;
const usual = { listen: '0.0.0.0', tlsNames: ['gantry.example.com', '203.0.113.7'] };
const files = { tlsCertificate: join(dataDir, 'given.pem'), tlsKey: join(dataDir, 'given-key.pem') };

let own: ServerTls;
let given: ServerTls;
beforeAll(async () => {
  own = await openTls(usual, paths, now);
  const company = await makeAuthority('A company', { from: now - dayMs, days: 10 });
  const key = newKey();
  const period = { from: now - dayMs, days: 5 };
  writeFileSync(files.tlsCertificate, await issue(company, { key, names: ['gantry.example.com'], period }));
  writeFileSync(files.tlsKey, key);
  given = await openTls({ ...usual, ...files }, paths, now);
});
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

const authority = () => readFileSync(paths.tls.authority, 'utf8');
const serverCertificate = () => new X509Certificate(readFileSync(paths.tls.server));

/** Serves it for as long as `use` takes. */
async function serving<T>(tls: ServerTls, use: (port: number) => Promise<T>): Promise<T> {
  const { server, close } = createHttpServer((_, response) => void response.end(), undefined, tls);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await use((server.address() as AddressInfo).port);
  } finally {
    await close(0, () => {});
  }
}

/** Who issued what is shown to a client that asks for this name, or for none. */
async function shownTo(port: number, servername?: string): Promise<string | undefined> {
  const name = servername === undefined ? {} : { servername };
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...name });
  await once(socket, 'secureConnect');
  const issuer = socket.getPeerX509Certificate()?.issuer;
  socket.destroy();
  return issuer;
}

describe('a certificate of its own', () => {
  it('is from an authority that only root could use, and for every name and address that the machine has', () => {
    for (const file of [paths.tls.authorityKey, paths.tls.serverKey]) expect(statSync(file).mode & 0o777).toBe(0o600);
    const certificate = serverCertificate();
    expect(certificate.verify(new X509Certificate(authority()).publicKey)).toBe(true);
    expect(own.pin).toBe(pinOf(authority()));
    for (const name of ['localhost', hostname(), 'gantry.example.com']) expect(certificate.checkHost(name)).toBe(name);
    for (const address of ['127.0.0.1', '::1', '203.0.113.7']) expect(certificate.checkIP(address)).toBe(address);
    expect(certificate.checkHost('example.com')).toBeUndefined();
  });

  it('stays as it is while it is good, and is renewed with the same key before it ends', async () => {
    const [before, key, trusted] = [serverCertificate(), readFileSync(paths.tls.serverKey, 'utf8'), authority()];
    await openTls(usual, paths, now + 100 * dayMs);
    expect(serverCertificate().fingerprint256).toBe(before.fingerprint256);
    const { pin } = await openTls(usual, paths, now + 300 * dayMs);
    const after = serverCertificate();
    expect(after.validToDate.getTime()).toBeGreaterThan(now + 600 * dayMs);
    expect(readFileSync(paths.tls.serverKey, 'utf8')).toBe(key);
    expect([authority(), pin]).toEqual([trusted, own.pin]);
    await openTls({ ...usual, tlsNames: [...usual.tlsNames, 'another.example.com'] }, paths, now);
    expect(serverCertificate().checkHost('another.example.com')).toBe('another.example.com');
  });

  it('gives its authority to whoever has the pin, and to nobody else', async () => {
    await serving(own, async (port) => {
      const url = new URL(`https://127.0.0.1:${port}`);
      expect(await authorityOf(url, own.pin ?? '')).toBe(authority());
      await expect(authorityOf(url, pinOf(serverCertificate()))).rejects.toThrow(
        'is not from the authority of the pin',
      );
      await expect(authorityOf(url, 'A'.repeat(43))).rejects.toThrow('is not the control plane that the pin is of');
    });
    // Another one, whose server shows an authority that it has not been issued by.
    const elsewhere = await makeAuthority('Somebody', { from: now - dayMs, days: 10 });
    const key = newKey();
    const cert = await issue(elsewhere, { key, names: ['127.0.0.1'], period: { from: now - dayMs, days: 5 } });
    const posing = { ...own, shown: { key, cert: `${cert}${authority()}` } };
    await serving(posing, async (port) => {
      await expect(authorityOf(new URL(`https://127.0.0.1:${port}`), own.pin ?? '')).rejects.toThrow(
        /not from the authority|not the control plane/,
      );
    });
  });
});

describe('a certificate that is given', () => {
  it('is shown for its names, and that of its own for all others', async () => {
    expect(given.pin).toBeUndefined();
    await serving(given, async (port) => {
      expect(await shownTo(port, 'gantry.example.com')).toBe('CN=A company');
      for (const name of ['localhost', undefined]) expect(await shownTo(port, name)).toMatch(/^CN=Gantry of /);
    });
  });

  it.each<[string, object, RegExp]>([
    ['has no key', { tlsCertificate: files.tlsCertificate }, /are given together/],
    ['is not there', { ...files, tlsKey: '/nowhere.pem' }, /^\/nowhere\.pem cannot be read: ENOENT/],
    ['has another key', { ...files, tlsKey: paths.tls.authorityKey }, /are no certificate with its key \(PEM\): /],
    ['has ended', { ...files, at: now + 30 * dayMs }, /^The certificate .* ended at /],
  ])('that %s is refused', async (_, { at = now, ...options }: { at?: number }, message) => {
    await expect(openTls({ ...usual, ...options }, paths, at)).rejects.toThrow(message);
  });
});
