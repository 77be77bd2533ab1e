import { describe, expect, test } from 'vitest';
import { readImageName, readNamed } from '../../../../src/cli/images/image-name.ts';

const digest = `sha256:${'a'.repeat(64)}`;

describe('image names are those of docker pull', () => {
  test.each<[text: string, registry: string, name: string, reference: string]>([
    ['alpine', 'https://registry-1.docker.io/', 'library/alpine', 'latest'],
    ['alpine:3.20', 'https://registry-1.docker.io/', 'library/alpine', '3.20'],
    ['owner/app', 'https://registry-1.docker.io/', 'owner/app', 'latest'],
    ['docker.io/alpine', 'https://registry-1.docker.io/', 'library/alpine', 'latest'],
    ['index.docker.io/owner/app:1', 'https://registry-1.docker.io/', 'owner/app', '1'],
    ['ghcr.io/owner/app:1.0', 'https://ghcr.io/', 'owner/app', '1.0'],
    ['registry.example:5000/app', 'https://registry.example:5000/', 'app', 'latest'],
    [`registry.example/a/b/c@${digest}`, 'https://registry.example/', 'a/b/c', digest],
    [`registry.example/a:1.0@${digest}`, 'https://registry.example/', 'a', digest],
    ['localhost/app', 'http://localhost/', 'app', 'latest'],
    ['127.0.0.1:5000/app:1', 'http://127.0.0.1:5000/', 'app', '1'],
    ['[::1]:5000/app', 'http://[::1]:5000/', 'app', 'latest'],
    ['https://127.0.0.1:5000/app', 'https://127.0.0.1:5000/', 'app', 'latest'],
    ['http://registry.example/app', 'http://registry.example/', 'app', 'latest'],
    // As skopeo has it.
    ['docker://registry.example/app:1', 'https://registry.example/', 'app', '1'],
    ['docker://alpine', 'https://registry-1.docker.io/', 'library/alpine', 'latest'],
    ['oci:latest', 'https://registry-1.docker.io/', 'library/oci', 'latest'],
    ['docker://docker-archive:x.tar', 'https://registry-1.docker.io/', 'library/docker-archive', 'x.tar'],
    ['http://docker-daemon:5000/app', 'http://docker-daemon:5000/', 'app', 'latest'],
    ['file:latest', 'https://registry-1.docker.io/', 'library/file', 'latest'],
    ['file:5000/team/app:1', 'https://file:5000/', 'team/app', '1'],
    ['docker-archive:5000/team/app:1', 'https://docker-archive:5000/', 'team/app', '1'],
  ])('%s', (text, registry, name, expected) => {
    const read = readImageName(text);
    const { reference } = read;
    expect([
      read.registryUrl.href,
      read.name,
      reference.kind === 'tag' ? reference.tag : reference.digest,
    ]).toEqual([registry, name, expected]);
  });

  test('--plain-http applies to named registries, and not to Docker Hub', () => {
    expect(readImageName('registry.example/app', true).registryUrl.href).toBe('http://registry.example/');
    expect(readImageName('alpine', true).registryUrl.href).toBe('https://registry-1.docker.io/');
  });

  test.each([
    '',
    ':1',
    'a//b',
    'Alpine',

    'a b',
    'http:///x',
    'x.y:z/app',
    `a@${digest}0`,
  ])('%j is not an image name', (text) => {
    expect(() => readImageName(text)).toThrow(/not an image name|no valid digest|no valid registry host/);
  });

  test.each([
    'https://user:s3cret@registry.example/app:1',
    'docker://user:s3cret@registry.example/app',
    'user:s3cret@registry.example:5000/team/app',
    'https://user:s3cret/s3cret@registry.example/app',
    `https://user:s3cret@registry.example/App@${digest}`,
  ])('%j has a login, which no message repeats', (text) => {
    for (const read of [readImageName, readNamed]) {
      expect(() => read(text)).toThrow(/^An image name must have no login: (?!.*(?:user|s3cret))/);
    }
  });

  test.each([
    'docker-archive:x.tar',
    'oci-archive:x.tar:app',
    'docker-daemon:foo',
    'containers-storage:alpine',
    'oci:./layout',
    'oci:layout:1.0',
    'oci:images/layout:1.0',
    'dir:images/app',
    'dir:/tmp/image',
    './image.tar',
    '../image.tar',
    '/tmp/image.tar',
    'C:\\images\\app.tar',
    'c:/images/app.tar',
    '.\\image.tar',
    'file:///tmp/image.tar',
  ])('%s is of another transport, or a file', (text) => {
    expect(() => readImageName(text)).toThrow(/is not in a registry/);
  });

  test.each(['app:', 'app:-1', 'app:a+b', `registry.example/app:${'1'.repeat(129)}`])(
    '%j has no valid tag',
    (text) => {
      const problem = `${JSON.stringify(text)} has no valid tag after the colon. A tag has letters, digits,`;
      expect(() => readImageName(text)).toThrow(problem);
    },
  );
});
