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
    const env = processEnvironment(container, { Env: ['PATH=/image/bin', 'MODE=image', 'HOME'] }, { hostname: 'box' });
    expect(env).toEqual([
      'PATH=/image/bin',
      'HOSTNAME=box',
      'MODE=task',
      'AWS_EXECUTION_ENV=AWS_ECS_EC2',
      'EQUATION=a=b',
    ]);
  });

  it('says where its metadata is, unless the task definition knows better', () => {
    const metadataUri = 'http://169.254.170.2/v4/0123';
    const image = { Env: ['ECS_CONTAINER_METADATA_URI_V4=http://image', 'AWS_EXECUTION_ENV=image'] };
    const given = processEnvironment(containerSpec(), image, { hostname: 'box', metadataUri });
    expect(given).toContain(`ECS_CONTAINER_METADATA_URI_V4=${metadataUri}`);
    expect(given).toContain('AWS_EXECUTION_ENV=AWS_ECS_EC2');
    const environment = [
      { name: 'ECS_CONTAINER_METADATA_URI_V4', value: 'http://127.0.0.1:9/mine' },
      { name: 'AWS_EXECUTION_ENV', value: '' },
    ];
    const own = processEnvironment(containerSpec({ environment }), image, { hostname: 'box', metadataUri });
    expect(own.slice(2)).toEqual(['ECS_CONTAINER_METADATA_URI_V4=http://127.0.0.1:9/mine', 'AWS_EXECUTION_ENV=']);
  });

  it('finds programs when the image names no PATH', () => {
    expect(processEnvironment(containerSpec(), {}, { hostname: 'box' })[0]).toMatch(/^PATH=.*:\/bin$/);
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
