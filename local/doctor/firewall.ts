/** Whether iptables works here, and who else uses it how. Changes no rule. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { findExecutable, hostToolsPath } from '../containerd.ts';
import { type Finding, finding, reasonOf } from './finding.ts';

const run = promisify(execFile);
const answerTimeoutMs = 5000;
const lockFile = '/run/xtables.lock';
/** What Gantry's rules are made of; `--test` looks for each and commits nothing. */
const matches =
  '*filter\n-A FORWARD -m comment --comment gantry -m addrtype --dst-type LOCAL -m conntrack --ctstate ESTABLISHED\nCOMMIT\n';

export async function firewallFindings(path: string = hostToolsPath()): Promise<Finding[]> {
  const iptables = findExecutable('iptables', path);
  if (iptables === undefined)
    return [
      finding(
        'firewall',
        false,
        'iptables was not found',
        'Published ports need iptables: install the package iptables.',
      ),
    ];
  const call = async (program: string, args: readonly string[], input = ''): Promise<string> => {
    const running = run(program, [...args], { env: { PATH: path }, timeout: answerTimeoutMs });
    running.child.stdin?.on('error', () => {}); // It has ended without reading, and its exit code says the rest.
    running.child.stdin?.end(input);
    return (await running).stdout;
  };
  try {
    const version = (await call(iptables, ['--version'])).trim();
    return [
      finding('firewall', true, version, ''),
      await lockFinding(call),
      await matchFinding(call),
      await mixedFinding(version, path, call),
      forwardingFinding(await call(iptables, ['-w', '2', '-S', 'FORWARD'])),
    ];
  } catch (error) {
    const advice =
      'Look whether iptables runs by itself (`iptables -S`): the kernel may lack its modules, or somebody holds its lock.';
    return [finding('firewall', false, reasonOf(error), advice)];
  }
}

type Call = (program: string, args: readonly string[], input?: string) => Promise<string>;

async function lockFinding(call: Call): Promise<Finding> {
  const subject = 'firewall lock';
  if (!existsSync(lockFile)) return finding(subject, true, 'free', '');
  const held = await call('flock', ['--nonblock', lockFile, 'true']).then(
    () => false,
    () => true,
  );
  const advice = `Look who has ${lockFile} open (\`lslocks\`): while it is held no port can be published.`;
  return finding(subject, !held, held ? `${lockFile} is held` : 'free', advice);
}

async function matchFinding(call: Call): Promise<Finding> {
  try {
    await call('iptables-restore', ['--test', '--noflush'], matches);
    return finding('firewall matches', true, 'comment, addrtype, conntrack', '');
  } catch (error) {
    const advice =
      'Rules of Gantry use the matches comment, addrtype and conntrack: install iptables whole, and load xt_comment, xt_addrtype and ' +
      'xt_conntrack.';
    return finding('firewall matches', false, reasonOf(error), advice);
  }
}

/** Rules in both kinds are asked one after the other, and one of them does not know what the other accepts. */
async function mixedFinding(version: string, path: string, call: Call): Promise<Finding> {
  const other = version.includes('nf_tables') ? 'iptables-legacy' : 'iptables-nft';
  const save = `${other}-save`;
  const rules =
    findExecutable(save, path) === undefined
      ? 0
      : ((await call(save, []).catch(() => '')).match(/^-A /gm) ?? []).length;
  const advice =
    `Somebody uses ${other}, whose rules count too: let all use one ` +
    '(`update-alternatives --config iptables`) and flush the other.';
  return finding('firewall kinds', rules === 0, rules === 0 ? 'one' : `${rules} rules in ${other} besides`, advice);
}

/** Forwarding is switched on by the agent, and its tasks' traffic accepted by rules of its own, before those of others. */
function forwardingFinding(rules: string): Finding {
  const isOn = readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8').trim() === '1';
  const drops = rules.includes('-P FORWARD DROP');
  const isOurs = /-A FORWARD .*-j GANTRY/.test(rules) || /-j GANTRY/.test(rules);
  const detail = `${isOn ? 'on' : 'off'}${drops ? '; what no rule accepts is dropped' : ''}`;
  const advice =
    'An agent has its rules here, and forwarding was switched off since: `sysctl net.ipv4.ip_forward=1`, and find out who does it ' +
    '(/etc/sysctl.d).';
  return finding('forwarding', isOn || !isOurs, detail, advice);
}
