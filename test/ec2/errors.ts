/** EC2's errors: codes and texts as EC2 has them (seen in answers that others published), so that who reads them here reads them there. */

/** Codes that are no fault of the request; every other is a 400. */
const statuses: Readonly<Record<string, number>> = {
  AuthFailure: 401,
  DryRunOperation: 412,
  InsufficientInstanceCapacity: 500,
  InternalError: 500,
  RequestLimitExceeded: 503,
  Unavailable: 503,
};

export class Ec2Error extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
    this.status = statuses[code] ?? 400;
  }
}

export const unknownParameter = (path: string): Ec2Error =>
  new Ec2Error('UnknownParameter', `The parameter ${path} is not recognized`);

export const missingParameter = (path: string): Ec2Error =>
  new Ec2Error('MissingParameter', `The request must contain the parameter ${path}`);

export const invalidValue = (path: string, value: unknown, why = ''): Ec2Error =>
  new Ec2Error('InvalidParameterValue', `Invalid value '${String(value)}' for ${path}.${why === '' ? '' : ` ${why}`}`);

/** EC2 knows it, this endpoint does not: nothing that would change an outcome is passed over. */
export const notBuilt = (what: string): Ec2Error =>
  new Ec2Error('UnsupportedOperation', `${what} is not known to this endpoint (test/ec2).`);

export function insufficientCapacity(type: string, zone: string | undefined, others: readonly string[]): Ec2Error {
  const where = zone === undefined ? 'in any Availability Zone' : `in the Availability Zone you requested (${zone})`;
  const elsewhere =
    others.length === 0
      ? ''
      : ` You can currently get ${type} capacity by not specifying an Availability Zone in your request or choosing ${others.join(', ')}.`;
  return new Ec2Error(
    'InsufficientInstanceCapacity',
    `We currently do not have sufficient ${type} capacity ${where}. ` +
      `Our system will be working on provisioning additional capacity.${elsewhere}`,
  );
}

export const insufficientAddresses = (subnetId: string): Ec2Error =>
  new Ec2Error(
    'InsufficientFreeAddressesInSubnet',
    `There are not enough free addresses in subnet '${subnetId}' to satisfy the requested number of instances.`,
  );

export const notInZone = (type: string, zone: string, zones: readonly string[]): Ec2Error =>
  new Ec2Error(
    'Unsupported',
    `Your requested instance type (${type}) is not supported in your requested Availability Zone (${zone}). ` +
      `Please retry your request by not specifying an Availability Zone or choosing ${zones.join(', ')}.`,
  );

export const vcpuLimitExceeded = (limit: number): Ec2Error =>
  new Ec2Error(
    'VcpuLimitExceeded',
    `You have requested more vCPU capacity than your current vCPU limit of ${limit} allows for the instance bucket that the ` +
      'specified instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request ' +
      'to request an adjustment to this limit.',
  );

export const spotLimitExceeded = (): Ec2Error =>
  new Ec2Error('MaxSpotInstanceCountExceeded', 'Max spot instance count exceeded');

export const noSuchInstances = (ids: readonly string[]): Ec2Error =>
  new Ec2Error(
    'InvalidInstanceID.NotFound',
    ids.length === 1
      ? `The instance ID '${ids[0]}' does not exist`
      : `The instance IDs '${ids.join(', ')}' do not exist`,
  );
