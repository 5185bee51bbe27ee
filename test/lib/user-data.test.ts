import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readAgentConfig } from '../../agent/config.ts';
import { bucket, parameter, region } from './support/aws-for-hosts.ts';
import { makeCluster } from './support/cluster.ts';
import { HostSandbox, installed } from './support/host-sandbox.ts';

/** The launch template's user data as an instance gets it. */
const userData = resolvedUserData();
function resolvedUserData(): string {
  const { template } = makeCluster({ hostAttributes: { rack: 'r\'1"' } });
  const [launchTemplate] = Object.values(template.findResources('AWS::EC2::LaunchTemplate'));
  const [separator, parts] = launchTemplate?.Properties.LaunchTemplateData.UserData['Fn::Base64']['Fn::Join'] ?? [];
  const values: Record<string, string> = { 'AWS::Region': region, 'AWS::URLSuffix': 'amazonaws.com' };
  const text = (part: string | { Ref?: string; 'Fn::Sub'?: string }): string => {
    if (typeof part === 'string') return part;
    return part.Ref === undefined ? bucket : (values[part.Ref] ?? parameter);
  };
  return parts.map(text).join(separator);
}

describe('the user data', () => {
  it('stays well within the 16 KiB that EC2 takes, with all the attributes that there may be', () => {
    expect(Buffer.byteLength(userData)).toBeLessThan(16_384 - 20 * 280);
  });

  it('writes what the agent is told and the updater, and starts that', async () => {
    using host = new HostSandbox();
    mkdirSync(join(host.root, 'etc/systemd/system'), { recursive: true });
    const here = (line: string) => line.replaceAll(/(?<=[ >])\/(?=etc|opt)/g, `${host.root}/`);
    const script = userData.replaceAll(/^(mkdir|cat >).*$/gm, here);
    expect(await host.run(host.write('user-data', script))).toMatchObject({ status: 0, stderr: '' });
    expect(readAgentConfig(join(host.root, 'etc/gantry/agent.json'))).toMatchObject({
      platform: 'ec2',
      controlPlaneUrl: 'https://api123.execute-api.eu-central-1.amazonaws.com',
      cluster: 'blue',
      attributes: { rack: 'r\'1"' },
    });
    expect(host.read('etc/gantry/release.env')).toBe(
      `GANTRY_REGION=${region}\nGANTRY_URL_SUFFIX=amazonaws.com\nGANTRY_ASSET_BUCKET=${bucket}\nGANTRY_RELEASE_PARAMETER=${parameter}\n`,
    );
    expect(host.read('opt/gantry/update.sh')).toBe(installed('update.sh'));
    for (const unit of ['gantry-update.service', 'gantry-update.timer'])
      expect(host.read(`etc/systemd/system/${unit}`)).toBe(installed(unit));
    expect(host.calls('systemctl')).toEqual(['daemon-reload', 'start --no-block gantry-update.service']);
  });
});
