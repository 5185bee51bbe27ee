/**
 * X.509 certificates: an authority of this control plane's own, and what it issues to the server. Makes text out of keys, names and times;
 * knows nothing of files, and of when a certificate is due.
 */
import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import type { pki } from 'node-forge';

/** PEM. */
export interface Certified {
  readonly certificate: string;
  readonly key: string;
}

export interface Period {
  /** Epoch milliseconds. */
  readonly from: number;
  readonly days: number;
}

/** As RSA, which every client knows, and the library signs with. */
export const newKey = (): string =>
  generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

export async function makeAuthority(name: string, period: Period): Promise<Certified> {
  const forge = await loadForge();
  const key = newKey();
  const certificate = await blank({ key, name, period });
  certificate.setIssuer(certificate.subject.attributes);
  certificate.setExtensions([
    { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    { name: 'subjectKeyIdentifier' },
  ]);
  certificate.sign(forge.pki.privateKeyFromPem(rsaPem(key)), forge.md.sha256.create());
  return { certificate: pemOf(certificate, forge.pki), key };
}

/** For a server that is reached by these names and addresses. */
export async function issue(
  authority: Certified,
  { key, names, period }: { readonly key: string; readonly names: readonly string[]; readonly period: Period },
): Promise<string> {
  const forge = await loadForge();
  const issuer = forge.pki.certificateFromPem(authority.certificate);
  const certificate = await blank({ key, name: 'Gantry control plane', period });
  certificate.setIssuer(issuer.subject.attributes);
  certificate.setExtensions([
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
    { name: 'extKeyUsage', serverAuth: true },
    {
      name: 'subjectAltName',
      altNames: names.map((name) => (isIP(name) > 0 ? { type: 7, ip: name } : { type: 2, value: name })),
    },
    { name: 'subjectKeyIdentifier' },
    { name: 'authorityKeyIdentifier', keyIdentifier: issuer.generateSubjectKeyIdentifier().getBytes() },
  ]);
  certificate.sign(forge.pki.privateKeyFromPem(rsaPem(authority.key)), forge.md.sha256.create());
  return pemOf(certificate, forge.pki);
}

/** With the ends of lines that everybody else writes. */
const pemOf = (certificate: pki.Certificate, { certificateToPem }: typeof pki): string =>
  certificateToPem(certificate).replaceAll('\r\n', '\n');

/** Only where something is issued, which is once a year. */
const loadForge = async () => (await import('node-forge')).default;

async function blank(about: { key: string; name: string; period: Period }): Promise<pki.Certificate> {
  const { pki } = await loadForge();
  const { n, e } = pki.privateKeyFromPem(rsaPem(about.key));
  const certificate = pki.createCertificate();
  certificate.publicKey = pki.setRsaPublicKey(n, e);
  // Positive, and never the same twice: clients tell certificates of one issuer apart by it.
  certificate.serialNumber = `01${randomBytes(15).toString('hex')}`;
  certificate.validity.notBefore = new Date(about.period.from);
  certificate.validity.notAfter = new Date(about.period.from + about.period.days * 24 * 3600_000);
  certificate.setSubject([{ name: 'commonName', value: about.name }]);
  return certificate;
}

/** The library reads this form of every key that Node writes. */
const rsaPem = (key: string): string => createPrivateKey(key).export({ type: 'pkcs1', format: 'pem' }).toString();
