import { describe, expect, it } from 'vitest';
import type { RepositoryName } from '../../../converters/reference.ts';
import { noAliases } from '../../../src/routing/aliases.ts';
import { createRepositoryNames } from '../../../src/routing/repository-names.ts';
import { createVirtualHosts } from '../../../src/routing/virtual-hosts.ts';

describe('a host with 1,000 routes', () => {
  let asked = 0;
  const routes = Array.from({ length: 1_000 }, (_, index) => {
    const paths = [`team-${index}` as RepositoryName];
    const match = { hosts: [], ports: [], paths, ns: [], everything: false };
    const names = createRepositoryNames({ match, aliases: noAliases, library: false });
    const toUpstream: typeof names.toUpstream = (...query) => {
      asked += 1;
      return names.toUpstream(...query);
    };
    return { match, repositoryNames: { ...names, toUpstream } };
  });
  const host = createVirtualHosts(routes).find({ hostname: 'proxy.example', hostPort: 80, port: 80 });

  it.each(['team-0', 'team-999'])('asks only the route of %s for a repository of it', (path) => {
    asked = 0;
    const found = host?.find({ name: `${path}/group/app` as RepositoryName, ns: undefined });
    expect(found?.route.match.paths).toEqual([path]);
    expect(asked).toBe(1);
  });

  it('asks no route for a repository of none', () => {
    asked = 0;
    expect(host?.find({ name: 'other/app' as RepositoryName, ns: undefined })).toBeUndefined();
    expect(asked).toBe(0);
  });
});
