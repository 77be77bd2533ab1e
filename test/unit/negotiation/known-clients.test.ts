import { expect, test } from 'vitest';
import { describeClient } from '../../../src/negotiation/client-profile.ts';
import { clientGroupOf, knownClients } from '../../../src/negotiation/known-clients.ts';

const groupOf = (userAgent: string) => clientGroupOf(describeClient(userAgent).name);

test.each(knownClients.map(({ id, userAgent }) => [id, userAgent]))('%s: %s', (id, userAgent) => {
  // Docker with containerd's store names Docker first.
  expect(groupOf(userAgent)).toBe(id === 'dockerstore' ? 'docker-28' : id);
});

test.each([
  ['docker/1.12.6 go/go1.6.4 kernel/3.10 os/linux arch/amd64', 'docker-1.13'],
  ['docker/18.03.1-ce go/go1.9.5 os/linux arch/amd64', 'docker-1.13'],
  ['docker/18.06.0-ce go/go1.10.3 os/linux arch/amd64', 'docker-18.09'],
  ['docker/20.10.24+dfsg1 go/go1.19.8 os/linux arch/amd64', 'docker-20.10'],
  ['containers/5.23.1 (github.com/containers/image)', 'skopeo'],
  ['Buildah/1.28', 'skopeo'],
  ['cri-o/1.29.1 go/1.21', 'skopeo'],
  ['containerd/1.2.0', 'other'],
  ['go-containerregistry', 'crane'],
  ['go-containerregistry/(devel)', 'crane'],
  ['curl/8.0', 'other'],
  ['docker', 'other'],
  ['', 'other'],
  ['evil-1/2', 'other'],
])('%s: %s', (userAgent, id) => {
  expect(groupOf(userAgent)).toBe(id);
});
