/**
 * Trust in a control plane whose certificate is from an authority of its own: asks for that authority, known by its pin, and makes this
 * process trust it. Keeps nothing.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import tls from 'node:tls';
import { GantryError } from '../core/errors.ts';

const connectTimeoutMs = 10_000;

const trusted = new Set<string>();

/** PEM. From then on this process trusts it, beside what it trusts already, whatever it speaks to. */
export function trustAuthority(authority: string): void {
  if (trusted.has(authority)) return;
  if (!('setDefaultCACertificates' in tls))
    throw new GantryError('ClientException', `Node ${process.versions.node} cannot be told of an authority.`, {
      hint: 'Use Node 24, or set NODE_EXTRA_CA_CERTS to a file that has it.',
    });
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), authority]);
  trusted.add(authority);
}

/** SHA-256 of the public key (SPKI DER) of a certificate in PEM, in base64url. */
export const pinOf = (certificate: string | X509Certificate): string =>
  createHash('sha256')
    .update(new X509Certificate(certificate.toString()).publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url');

/**
 * The authority with this pin (PEM), out of what the server at `url` shows. Throws a GantryError where the server shows another, where its
 * certificate is not from it, or where its certificate has another name than the one in `url`.
 */
export async function authorityOf(url: URL, pin: string): Promise<string> {
  const chain = await chainOf(url);
  const [server] = chain;
  const authority = chain.find((certificate) => pinOf(certificate) === pin);
  if (server === undefined || authority === undefined)
    throw new GantryError('InvalidSignatureException', `${url.origin} is not the control plane that the pin is of.`, {
      hint: 'Take the address and the pin (a join token has it) from the same control plane, and see that nothing stands between that ends TLS.',
    });
  if (!authority.ca || !server.checkIssued(authority) || !server.verify(authority.publicKey))
    throw new GantryError(
      'InvalidSignatureException',
      `The certificate of ${url.origin} is not from the authority of the pin.`,
    );
  const host = bareHost(url);
  if ((isIP(host) > 0 ? server.checkIP(host) : server.checkHost(host)) === undefined)
    throw new GantryError('InvalidParameterException', `The certificate of ${url.origin} is not for ${host}.`, {
      hint: `It is for ${namesOf(server)}. Use one of these, or start the control plane with --tls-name ${host} too.`,
    });
  return authority.toString();
}

const bareHost = ({ hostname }: URL): string => hostname.replace(/^\[(.*)\]$/, '$1');

const namesOf = ({ subjectAltName = '' }: X509Certificate): string =>
  subjectAltName.replaceAll(/(?:DNS|IP Address):/g, '');

/** What the server shows, its own certificate first; nothing of it is trusted yet. */
function chainOf(url: URL): Promise<X509Certificate[]> {
  const host = bareHost(url);
  return new Promise((resolve, reject) => {
    const fail = (why: string, cause?: unknown) =>
      reject(
        new GantryError('ServiceUnavailableException', `${url.origin} does not speak TLS with us: ${why}.`, {
          hint: 'Is the control plane up there (`gantry up --tls --listen 0.0.0.0`), and does a firewall let this machine reach it?',
          cause,
        }),
      );
    const socket = tls.connect({
      host,
      port: url.port === '' ? 443 : Number(url.port),
      ...(isIP(host) === 0 && { servername: host }),
      rejectUnauthorized: false,
      timeout: connectTimeoutMs,
    });
    socket.once('secureConnect', () => {
      const chain: X509Certificate[] = [];
      for (let next = socket.getPeerX509Certificate(); next !== undefined; next = next.issuerCertificate) {
        chain.push(next);
        if (next.issuerCertificate?.fingerprint256 === next.fingerprint256) break;
      }
      socket.destroy();
      resolve(chain);
    });
    socket.once('timeout', () => {
      socket.destroy();
      fail(`no answer in ${connectTimeoutMs / 1000} s`);
    });
    socket.once('error', (error) => fail(error.message, error));
  });
}
