import { expect, test } from 'vitest';
import { archiveFormFor } from '../../../../src/cli/save/archive-form.ts';
import { knownClientById } from '../../../../src/negotiation/known-clients.ts';

test.each([
  ['docker-1.3', 'v1'],
  ['docker-1.9', 'v1'],
  ['docker-1.10', 'docker'],
  ['docker-18.09', 'docker'],
  ['docker-20.10', 'docker'],
  ['docker-25', 'docker'],
  ['docker-26', 'oci'],
  ['docker-29', 'oci'],
  ['dockerstore', 'oci'],
  ['podman', 'oci'],
  ['containerd-1.6', 'oci'],
])('%s loads the form %s', (id, form) => {
  const client = knownClientById(id);
  expect(client && archiveFormFor(client)).toBe(form);
});
