/** The names of Amazon ECR's private registries, and where the API is that gives credentials for them. Pure. */

export interface EcrHost {
  readonly region: string;
  /** Host of the API that serves the registry's region in the same way (FIPS, both IP versions). */
  readonly apiHost: string;
}

const ecrPattern =
  /^\d{12}\.dkr([.-])ecr(-fips)?\.([a-z0-9-]+)\.(amazonaws\.com|amazonaws\.com\.cn|amazonaws\.eu|on\.aws|on\.amazonwebservices\.com\.cn)$/;

/** Undefined for any other registry; public.ecr.aws, which serves everybody, among them. */
export function parseEcrHost(host: string): EcrHost | undefined {
  const [, separator, fips = '', region, domain = ''] = ecrPattern.exec(host) ?? [];
  if (region === undefined) return undefined;
  // `dkr-ecr` and `on.…` go together: registries that are reached over IPv4 and IPv6.
  if ((separator === '-') !== domain.startsWith('on.')) return undefined;
  if (domain.startsWith('on.')) return { region, apiHost: `ecr${fips}.${region}.${domain.replace(/^on\./, 'api.')}` };
  return { region, apiHost: fips === '' ? `api.ecr.${region}.${domain}` : `ecr-fips.${region}.${domain}` };
}
