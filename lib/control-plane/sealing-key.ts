/** The KMS key under which the key that seals access keys is encrypted. */
import { RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';

export interface SealingKey {
  readonly keyArn: string;
  /** Allows making and decrypting the data key, which the function keeps encrypted in the table. */
  grantSealing(grantee: iam.IGrantable): void;
  /** Allows decrypting it: for who opens what another has sealed. */
  grantOpening(grantee: iam.IGrantable): void;
}

export function makeSealingKey(scope: Construct, removalPolicy: RemovalPolicy): SealingKey {
  const key = new kms.Key(scope, 'SealingKey', {
    description: 'Gantry: seals access keys. Without it they are lost.',
    enableKeyRotation: true,
    // A key that a failed deployment leaves behind would cost a dollar a month for nothing.
    removalPolicy: removalPolicy === RemovalPolicy.DESTROY ? removalPolicy : RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
  });
  const grant = (grantee: iam.IGrantable, sid: string, actions: string[]): void => {
    const statement = new iam.PolicyStatement({ sid, actions, resources: [key.keyArn] });
    grantee.grantPrincipal.addToPrincipalPolicy(statement);
  };
  return {
    keyArn: key.keyArn,
    grantSealing: (grantee) => grant(grantee, 'SealAccessKeys', ['kms:GenerateDataKey', 'kms:Decrypt']),
    grantOpening: (grantee) => grant(grantee, 'OpenSecrets', ['kms:Decrypt']),
  };
}
