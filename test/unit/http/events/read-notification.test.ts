import { describe, expect, test } from 'vitest';
import { readNotification } from '../../../../src/http/events/read-notification.ts';
import { ecrEvent } from '../../../support/registry-events.ts';

const read = (body: unknown, headers: Record<string, string> = {}) =>
  readNotification(new Headers(headers), body);

describe('the examples of manuals and of people', () => {
  test('Artifactory: the webhook of a busybox in folders (kargo, pull request 4498)', () => {
    const body = {
      domain: 'docker',
      event_type: 'pushed',
      data: {
        repo_key: 'test-repo',
        path: 'foo/bar/busybox/latest/manifest.json',
        name: 'manifest.json',
        sha256: '2278daae78b8899e6c7192a8a6f49763b9e0cde6fcf94de34f115df4401b955f',
        size: 527,
        image_name: 'busybox',
        tag: 'latest',
        platforms: [],
        image_type: 'docker',
      },
      subscription_key: 'test-webhook',
      jpd_origin: 'https://trial30g6c2.jfrog.io',
      source: 'jfrog/jfrt@01jzq1wpac4msw1djjwqwh09w0',
    };
    expect(read(body)).toEqual({
      source: 'artifactory',
      events: [
        {
          kind: 'push',
          repository: 'test-repo/foo/bar/busybox',
          image: 'foo/bar/busybox',
          tag: 'latest',
          digest: 'sha256:2278daae78b8899e6c7192a8a6f49763b9e0cde6fcf94de34f115df4401b955f',
          hosts: ['trial30g6c2.jfrog.io'],
        },
      ],
      left: 0,
    });
  });

  test('Artifactory: an index in the cache of a remote repository (JFrog, "Domain: Docker")', () => {
    const data = {
      repo_key: 'docker-remote-cache',
      event_type: 'pushed',
      path: 'library/ubuntu/latest/list.manifest.json',
      name: 'list.manifest.json',
      sha256: '35c4a2c15539c6c1e4e5fa4e554dac323ad0107d8eb5c582d6ff386b383b7dce',
      size: 1206,
      image_name: 'library/ubuntu',
      tag: 'latest',
      platforms: [{ architecture: 'amd64', os: 'linux' }],
    };
    expect(read({ domain: 'docker', event_type: 'pushed', data })?.events).toEqual([
      {
        kind: 'push',
        repository: 'docker-remote-cache/library/ubuntu',
        image: 'library/ubuntu',
        tag: 'latest',
        digest: `sha256:${data.sha256}`,
        hosts: [],
      },
    ]);
  });

  test('Artifactory: a deleted tag, and the button Test (JFrog, "Domain: Docker")', () => {
    const data = {
      repo_key: 'sample_repo',
      path: 'path/sample.txt',
      name: 'sample.txt',
      sha256: 'sample_checksum',
      size: 0,
      image_name: 'sample_arch',
      tag: 'sample_image',
      platforms: [{ architecture: 'sample_os', os: 'sample_tag' }],
    };
    expect(read({ domain: 'docker', event_type: 'deleted', data })?.events).toEqual([
      { kind: 'delete', repository: 'sample_repo/sample_arch', image: 'sample_arch', hosts: [] },
    ]);
  });

  test.each([
    ['PUSH', { kind: 'push', tag: 'latest' }],
    ['DELETE', { kind: 'delete' }],
  ])('ECR: %s (Amazon, "Amazon ECR events and EventBridge")', (action, expected) => {
    const sent = ecrEvent(action, {
      repository: 'my-repository-name',
      tag: 'latest',
      // The digest of the manual is too short for one.
      digest: 'sha256:7f5b2640fe6fb4f46592dfd3410c4a79dac4f89e4782432e0378abcd1234',
    });
    const body = JSON.parse(new TextDecoder().decode(sent.body));
    expect(read(body)).toMatchObject({
      source: 'ecr',
      events: [
        {
          ...expected,
          repository: 'my-repository-name',
          hosts: expect.arrayContaining(['123456789012.dkr.ecr.us-west-2.amazonaws.com']),
        },
      ],
    });
  });

  test('Gitea: a manifest that was pushed by its digest has no tag', () => {
    const version = `sha256:${'1'.repeat(64)}`;
    const found = { type: 'container', owner: { login: 'Team' }, name: 'app/web', version };
    const html_url = `https://gitea.example:3000/Team/-/packages/container/app%2Fweb/${version}`;
    const body = { action: 'created', package: { ...found, html_url }, sender: {} };
    expect(read(body, { 'x-gitea-event': 'package' })).toEqual({
      source: 'gitea',
      events: [{ kind: 'push', repository: 'team/app/web', hosts: ['gitea.example:3000'] }],
      left: 0,
    });
  });
});
