/**
 * The user data of a host: a shell script that writes what the host is to know and the updater, and starts it. The updater does all the
 * rest (agent/install), and again at every start and every quarter of an hour. Nothing in it changes with the agent's release.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Aws, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { bundlePath } from '../bundles.ts';

export interface HostFacts {
  /** What the agent is told: the file agent/config.ts describes, for `ec2`. */
  readonly agent: Readonly<Record<string, unknown>>;
  readonly assetBucket: string;
  /** Name of the SSM parameter that says which release to run. */
  readonly releaseParameter: string;
}

export function hostUserData(scope: Construct, facts: HostFacts): string {
  const installation = bundlePath(scope, 'agent');
  const text = (name: string): string => readFileSync(join(installation, name), 'utf8');
  return [
    '#!/bin/sh',
    '# Makes this instance a host of Gantry.',
    'set -eu',
    'umask 022',
    'mkdir -p /etc/gantry /opt/gantry',
    ...write('/etc/gantry/agent.json', `${Stack.of(scope).toJsonString(facts.agent, 2)}\n`),
    ...write('/etc/gantry/release.env', releaseEnvironment(facts)),
    ...write('/opt/gantry/update.sh', text('update.sh')),
    ...write('/etc/systemd/system/gantry-update.service', text('gantry-update.service')),
    ...write('/etc/systemd/system/gantry-update.timer', text('gantry-update.timer')),
    'systemctl daemon-reload',
    'systemctl start --no-block gantry-update.service',
    '',
  ].join('\n');
}

const releaseEnvironment = ({ assetBucket, releaseParameter }: HostFacts): string =>
  [
    `GANTRY_REGION=${Aws.REGION}`,
    `GANTRY_URL_SUFFIX=${Aws.URL_SUFFIX}`,
    `GANTRY_ASSET_BUCKET=${assetBucket}`,
    `GANTRY_RELEASE_PARAMETER=${releaseParameter}`,
    '',
  ].join('\n');

const write = (path: string, content: string): string[] => [`cat >${path} <<'GANTRY_END'`, `${content}GANTRY_END`];
