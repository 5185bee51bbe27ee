/** How long a task may run and how much CPU it may use: where that is written, and what it must be. */
import { describe, expect, it } from 'vitest';
import { mergeTags } from '../../../core/model/tag-changes.ts';
import { needsOf } from '../../../core/task/create.ts';
import { resolveSpec } from '../../../core/task/spec.ts';
import { refusals, type Wrong } from './refusals.ts';
import { definitionRequest, register, revision, runTask } from './requests.ts';

const sized = revision({ ...definitionRequest, cpu: '512' });
const timeout = (value?: string) => ({ key: 'gantry:timeout-seconds', ...(value !== undefined && { value }) });
const waiting = (value: string) => ({ key: 'gantry:placement-timeout-seconds', value });
const cpuLimit = (value: string) => ({ key: 'gantry:cpu-limit', value });
const other = { key: 'team', value: 'a' };

describe('a limit', () => {
  it("is the request's own, else that of its tags, else that of the revision's tags", () => {
    const ofRevision = [timeout('30'), cpuLimit('2 vCPU')];
    expect(runTask({}, sized, ofRevision)).toMatchObject({ timeoutSeconds: 30, cpuLimitUnits: 2048 });
    const tags = [other, timeout('20'), cpuLimit('1024')];
    expect(runTask({ tags }, sized, ofRevision)).toMatchObject({ timeoutSeconds: 20, cpuLimitUnits: 1024 });
    const members = { timeoutSeconds: 10, cpuLimit: '0.5 vCPU' };
    expect(runTask({ tags, ...members }, sized, ofRevision)).toMatchObject({ timeoutSeconds: 10, cpuLimitUnits: 512 });
  });

  it('is not there where nobody set one', () => {
    const made = runTask({ tags: [other] }, sized, [other]);
    expect(made).not.toHaveProperty('timeoutSeconds');
    expect(made).not.toHaveProperty('cpuLimitUnits');
  });

  it('of CPU leaves what is reserved as it is, and is no limit of the weight', () => {
    const { overrides, cpuLimitUnits = 0 } = runTask({ cpuLimit: '2048' }, sized);
    expect(needsOf(sized, overrides, {}).reservation.cpuUnits).toBe(512);
    const context = { taskId: 'f00d', taskArn: 'arn:task', cluster: 'default', region: 'r', cpuLimitUnits };
    expect(resolveSpec(sized, overrides, context)).toMatchObject({ cpuUnits: 512, cpuLimitUnits: 2048 });
  });

  const second = 'tags[1].value';
  const rows: Wrong[] = [
    ['of no time', { timeoutSeconds: 0 }, 'timeoutSeconds', 'between 1 and 31536000; it is 0'],
    ['of more than a year', { timeoutSeconds: 31_536_001 }, 'timeoutSeconds', 'between 1 and 31536000'],
    ['of no time, by a tag', { tags: [other, timeout('0')] }, second, 'must be 1 to 31536000 seconds; it is "0"'],
    ['in words', { tags: [other, timeout('1h')] }, second, 'it is "1h"'],
    ['by a tag without a value', { tags: [other, timeout()] }, second, 'gantry:timeout-seconds must be'],
    [
      'for a host of no time',
      { placementTimeoutSeconds: 0 },
      'placementTimeoutSeconds',
      'between 1 and 604800; it is 0',
    ],
    [
      'for a host in words, by a tag',
      { tags: [other, waiting('1h')] },
      second,
      'gantry:placement-timeout-seconds must be 1 to',
    ],
    ['with a fraction', { tags: [other, timeout('1.5')] }, second, 'it is "1.5"'],
    ['of CPU in words', { cpuLimit: 'all' }, 'cpuLimit', 'cpuLimit is no amount of CPU: "all"'],
    ['of CPU in words, by a tag', { tags: [other, cpuLimit('all')] }, second, 'gantry:cpu-limit is no amount'],
    ['of less CPU than is reserved', { cpuLimit: '256' }, 'cpuLimit', '0.25 vCPU, less than the 0.5 vCPU'],
    ['of less CPU than overrides reserve', { cpuLimit: '1024', overrides: { cpu: '2048' } }, 'cpuLimit', 'the 2 vCPU'],
  ];
  describe('is refused', () => {
    refusals(rows, (request) => runTask(request, sized), 'InvalidParameterException');
  });

  it('is refused where its revision asks for less CPU by a tag than the task reserves', () => {
    expect(() => runTask({ overrides: { cpu: '4096' } }, sized, [cpuLimit('2048')])).toThrow(
      expect.objectContaining({ field: 'taskDefinition', message: expect.stringContaining('less than the 4 vCPU') }),
    );
  });

  it('is checked where a revision is registered or tagged', () => {
    const wrong = expect.objectContaining({ code: 'InvalidParameterException', field: 'tags[0].value' });
    expect(() => register({ ...definitionRequest, tags: [timeout('soon')] })).toThrow(wrong);
    expect(() => mergeTags([], [cpuLimit('much')])).toThrow(wrong);
  });
});
