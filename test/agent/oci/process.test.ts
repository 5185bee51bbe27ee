import { describe, expect, it } from 'vitest';
import { processArgs, processEnvironment, workingDirectory } from '../../../agent/oci/process.ts';
import { containerSpec } from './task-spec.ts';

const image = { Entrypoint: ['/entry'], Cmd: ['default', 'args'] };

describe('the argument vector', () => {
  it.each([
    ['nothing given: the image decides', {}, ['/entry', 'default', 'args']],
    ['command replaces Cmd', { command: ['mine'] }, ['/entry', 'mine']],
    ["entryPoint drops the image's Cmd", { entryPoint: ['/other'] }, ['/other']],
    ['both given', { entryPoint: ['/other'], command: ['x'] }, ['/other', 'x']],
    ['empty lists are as good as none', { entryPoint: [], command: [] }, ['/entry', 'default', 'args']],
    ["an empty entryPoint string takes the image's away", { entryPoint: [''], command: ['sh'] }, ['sh']],
    ['… and its Cmd, so nothing is left', { entryPoint: [''] }, []],
  ])('%s', (_, given, expected) => {
    expect(processArgs(containerSpec(given), image)).toEqual(expected);
  });

  it('is empty when neither side names a program', () => {
    expect(processArgs(containerSpec(), {})).toEqual([]);
  });
});

describe('the environment', () => {
  it("has a PATH and the hostname, the image's values over them and the task definition's over all", () => {
    const container = containerSpec({
      environment: [
        { name: 'MODE', value: 'task' },
        { name: 'EQUATION', value: 'a=b' },
      ],
    });
    const env = processEnvironment(container, { Env: ['PATH=/image/bin', 'MODE=image', 'HOME'] }, 'box');
    expect(env).toEqual(['PATH=/image/bin', 'HOSTNAME=box', 'MODE=task', 'EQUATION=a=b']);
  });

  it('finds programs when the image names no PATH', () => {
    expect(processEnvironment(containerSpec(), {}, 'box')[0]).toMatch(/^PATH=.*:\/bin$/);
  });
});

describe('the working directory', () => {
  it.each([
    [undefined, undefined, '/'],
    [undefined, '/app', '/app'],
    ['/mine', '/app', '/mine'],
    [undefined, 'app', '/app'],
  ])('of %s over %s is %s', (given, ofImage, expected) => {
    const container = containerSpec(given === undefined ? {} : { workingDirectory: given });
    expect(workingDirectory(container, { WorkingDir: ofImage })).toBe(expected);
  });
});
