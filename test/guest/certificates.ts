/** Certificates by openssl: an authority that guests trust, and what the rig shows to them in AWS' names. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Paths of PEM files. */
export interface CertificateAuthority {
  readonly certificate: string;
  readonly key: string;
}

export interface ServerCertificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

const newKey = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc'];

export function makeAuthority(directory: string): CertificateAuthority {
  const authority = { certificate: join(directory, 'ca.pem'), key: join(directory, 'ca.key') };
  openssl([
    newKey,
    ['-subj', '/CN=Gantry test guests', '-days', '3650'],
    ['-keyout', authority.key, '-out', authority.certificate],
  ]);
  return authority;
}

export function certificateFor(names: readonly string[], authority: CertificateAuthority): ServerCertificate {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-certificate-'));
  try {
    const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
    openssl([
      newKey,
      ['-CA', authority.certificate, '-CAkey', authority.key, '-subj', '/CN=aws', '-days', '2'],
      ['-addext', `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}`],
      ['-addext', 'basicConstraints=critical,CA:FALSE', '-addext', 'extendedKeyUsage=serverAuth'],
      ['-keyout', key, '-out', cert],
    ]);
    return { cert: readFileSync(cert), key: readFileSync(key) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const openssl = (args: readonly (readonly string[])[]): void => {
  execFileSync('openssl', args.flat(), { stdio: ['ignore', 'ignore', 'pipe'] });
};
