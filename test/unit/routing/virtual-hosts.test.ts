import { describe, expect, it } from 'vitest';
import type { RepositoryName } from '../../../converters/reference.ts';
import { noAliases } from '../../../src/routing/aliases.ts';
import { type HostRule, matchAll } from '../../../src/routing/match.ts';
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

describe('the virtual host of a request', () => {
  const routeOf = (hosts: readonly HostRule[]) => {
    const match = { ...matchAll, hosts };
    return { match, repositoryNames: createRepositoryNames({ match, aliases: noAliases, library: false }) };
  };
  const atPort = routeOf([{ hostname: 'hub.example', port: 8443 }]);
  const atHost = routeOf([{ hostname: 'hub.example', port: undefined }]);
  const anywhere = routeOf([]);
  const hosts = createVirtualHosts([anywhere, atHost, atPort]);
  const at = (hostname: string, hostPort: number) => hosts.find({ hostname, hostPort, port: 8080 });

  it('is made once', () => expect(at('hub.example', 8443)).toBe(at('hub.example', 8443)));

  it('is the same one for all ports, and all hosts, that no route names', () => {
    expect(at('hub.example', 443)).toBe(at('hub.example', 80));
    expect(at('other.example', 8443)).toBe(at('proxy.example', 80));
  });

  it.each([
    ['hub.example', 8443, atPort],
    ['hub.example', 443, atHost],
    ['other.example', 8443, anywhere],
  ])('begins at %s:%i with the route that names it', (hostname, hostPort, route) => {
    expect(at(hostname, hostPort)?.routes[0]).toBe(route);
  });
});
