import { afterAll, beforeAll, describe, expect } from 'vitest';
import { type FileTree, readTree } from '../file-tree.ts';
import { requirePeers } from '../programs.ts';
import { manifestAnswers, manifestTypes, type Relay } from '../relay.ts';
import { clientPrograms } from './all.ts';
import type { Client } from './client.ts';

/** Defines tests for each client program that is installed. @param define uses `client` inside of tests only. */
export function describeEachClient(define: (client: () => Client) => void): void {
  for (const { name, programs, start } of clientPrograms) {
    describe.skipIf(requirePeers(...programs))(`by ${name}`, () => {
      let client: Client;
      beforeAll(async () => {
        client = await start();
      });
      afterAll(() => client?.stop());
      define(() => client);
    });
  }
}

/** A relay with nothing recorded yet. @throws Error when there is none with that name. */
export function freshRelay<Name extends string>(relays: ReadonlyMap<Name, Relay>, name: Name): Relay {
  const relay = relays.get(name);
  if (!relay) throw new Error(`there is no relay to ${name}`);
  relay.forget();
  return relay;
}

/**
 * Pulls `latest` of a repository by tag, then by the digest that the tag led to. Both pulls must give the files.
 * @param types status and media type of all manifests on the wire, as `manifestTypes` returns them.
 */
export async function expectPulls(
  client: Client,
  relay: Relay,
  repository: string,
  { files, types }: { readonly files: FileTree; readonly types: readonly string[] },
): Promise<void> {
  const byTag = await client.pull(`${relay.host}/${repository}:latest`);
  expect(await readTree(byTag)).toEqual(files);
  expect(manifestTypes(relay)).toEqual(types);
  const digest = manifestAnswers(relay)[0]?.digest;

  relay.forget();
  const byDigest = await client.pull(`${relay.host}/${repository}@${digest}`);
  expect(await readTree(byDigest)).toEqual(files);
  expect(manifestTypes(relay)).toEqual(types);
}
