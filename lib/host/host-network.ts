/** Where hosts are put within a VPC. Makes no network. */
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import { PropError } from '../prop-checks.ts';

/** The subnets, one a zone, of a selection that must have one at least. */
export function hostNetwork(
  scope: Construct,
  vpc: ec2.IVpc,
  selection: ec2.SubnetSelection = {},
): Pick<ec2.SelectedSubnets, 'subnets' | 'internetConnectivityEstablished'> {
  const { subnets, internetConnectivityEstablished } = vpc.selectSubnets({ ...selection, onePerAz: true });
  if (subnets.length === 0)
    throw new PropError(scope, 'vpcSubnets', selection, 'a selection of at least one subnet of the VPC');
  return { subnets, internetConnectivityEstablished };
}
