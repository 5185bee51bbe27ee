/**
 * The certificates of one machine's control plane: its own authority and what that issues to the server, made at the first start and
 * renewed in time with the same key; and the certificate that an operator gives, read again as it changes. Serves nothing.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { createSecureContext, type SecureContext } from 'node:tls';
import { pinOf } from '../../client/authority.ts';
import { GantryError } from '../../core/errors.ts';
import type { CloudOptions, CloudPaths } from '../options.ts';
import { writeWhole } from '../whole-file.ts';
import { type Certified, issue, makeAuthority, newKey } from './authority.ts';

const dayMs = 24 * 3600_000;
const authorityDays = 20 * 365;
/** Some clients take no certificate that is good for longer. */
const serverDays = 397;
const renewDaysBefore = 120;
/** Of clients whose clocks are behind. */
const earlierMs = 3600_000;

/** PEM. */
export interface Shown {
  readonly cert: string;
  readonly key: string;
}

export interface ServerTls {
  /** To clients that name nobody: those that dial an address. */
  readonly shown: Shown;
  readonly contextFor: (name: string) => SecureContext;
  /** Of the authority; undefined where the certificate was given, which hosts must trust by themselves. */
  readonly pin: string | undefined;
}

type TlsOptions = Pick<CloudOptions, 'listen' | 'tlsNames' | 'tlsCertificate' | 'tlsKey'>;

/** To be called again now and then: answers what is to be shown from now on. Throws a GantryError where what is given is of no use. */
export async function openTls(options: TlsOptions, paths: CloudPaths, now: number): Promise<ServerTls> {
  const own = await ownCertificate(options, paths, now);
  const given = givenCertificate(options, now);
  const ownContext = createSecureContext(own.shown);
  const givenContext = given === undefined ? undefined : createSecureContext(given);
  const parsed = given === undefined ? undefined : new X509Certificate(given.cert);
  return {
    shown: given !== undefined && hasAddresses(given.cert) ? given : own.shown,
    contextFor: (name) =>
      givenContext !== undefined && parsed?.checkHost(name) !== undefined ? givenContext : ownContext,
    pin: given === undefined ? own.pin : undefined,
  };
}

const hasAddresses = (certificate: string): boolean =>
  /IP Address:/.test(new X509Certificate(certificate).subjectAltName ?? '');

function givenCertificate({ tlsCertificate, tlsKey }: TlsOptions, now: number): Shown | undefined {
  if (tlsCertificate === undefined || tlsKey === undefined) {
    if (tlsCertificate === tlsKey) return undefined;
    throw refused('tlsKey', '--tls-certificate and --tls-key are given together.');
  }
  const given = { cert: textOf('tlsCertificate', tlsCertificate), key: textOf('tlsKey', tlsKey) };
  let certificate: X509Certificate;
  try {
    createSecureContext(given);
    certificate = new X509Certificate(given.cert);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw refused('tlsCertificate', `${tlsCertificate} and ${tlsKey} are no certificate with its key (PEM): ${why}.`);
  }
  if (certificate.validToDate.getTime() < now)
    throw refused(
      'tlsCertificate',
      `The certificate ${tlsCertificate} ended at ${certificate.validToDate.toISOString()}.`,
    );
  return given;
}

function textOf(field: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw refused(field, `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

const refused = (field: string, message: string): GantryError =>
  new GantryError('InvalidParameterException', message, {
    field,
    hint: 'Give the chain (the server\u2019s certificate first) and its key as PEM; without both, --tls makes a certificate.',
  });

async function ownCertificate(
  { listen, tlsNames }: TlsOptions,
  { tls }: CloudPaths,
  now: number,
): Promise<{ readonly shown: Shown; readonly pin: string }> {
  mkdirSync(tls.directory, { recursive: true, mode: 0o700 });
  const authority = await keptAuthority(tls, now);
  const names = namesOfMachine(listen, tlsNames);
  const key = keptText(tls.serverKey) ?? kept(tls.serverKey, newKey(), 0o600);
  const before = keptText(tls.server);
  const isGood = before !== undefined && covers(new X509Certificate(before), { authority, names, key, now });
  const period = { from: now - earlierMs, days: serverDays };
  const certificate = isGood ? before : kept(tls.server, await issue(authority, { key, names, period }), 0o644);
  return { shown: { cert: `${certificate}${authority.certificate}`, key }, pin: pinOf(authority.certificate) };
}

async function keptAuthority(tls: CloudPaths['tls'], now: number): Promise<Certified> {
  const [certificate, key] = [keptText(tls.authority), keptText(tls.authorityKey)];
  if (certificate !== undefined && key !== undefined) return { certificate, key };
  const name = `Gantry of ${hostname()}`;
  const made = await makeAuthority(name, { from: now - earlierMs, days: authorityDays });
  // The certificate last: where it is, its key is.
  kept(tls.authorityKey, made.key, 0o600);
  kept(tls.authority, made.certificate, 0o644);
  return made;
}

interface Wanted {
  readonly authority: Certified;
  readonly names: readonly string[];
  readonly key: string;
  readonly now: number;
}

function covers(certificate: X509Certificate, { authority, names, key, now }: Wanted): boolean {
  const ends = certificate.validToDate.getTime();
  return (
    ends - now > renewDaysBefore * dayMs &&
    certificate.verify(new X509Certificate(authority.certificate).publicKey) &&
    certificate.checkPrivateKey(createPrivateKey(key)) &&
    names.every((name) => (isIP(name) > 0 ? certificate.checkIP(name) : certificate.checkHost(name)) !== undefined)
  );
}

/** What clients may call this machine. Addresses of one link mean nothing on another machine. */
function namesOfMachine(listen: string, tlsNames: readonly string[]): string[] {
  const addresses = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .map(({ address }) => address)
    .filter((address) => !address.startsWith('fe80:'));
  const named = ['localhost', hostname(), ...tlsNames].filter((name) => isIP(name) > 0 || hostNamePattern.test(name));
  const listened = isIP(listen) > 0 && !/^(?:0\.0\.0\.0|::)$/.test(listen) ? [listen] : [];
  return [...new Set([...named, '127.0.0.1', '::1', ...addresses, ...listened])];
}

const hostNamePattern = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?$/;

const keptText = (file: string): string | undefined => (existsSync(file) ? readFileSync(file, 'utf8') : undefined);

/** Whole or not at all. */
function kept(file: string, text: string, mode: number): string {
  writeWhole(file, text, mode);
  return text;
}
