import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { type GoldenCase, goldenBytes, goldenCasesThat } from '../support/golden.ts';
import { requirePeers } from '../support/programs.ts';
import { type RawResponse, rawRequest } from '../support/raw-http.ts';
import { type Route, startRoute } from '../support/route.ts';
import { seedVectors } from '../support/seed-vectors.ts';
import { readSignedSchema1 } from '../support/signed-schema1.ts';

describe.skipIf(requirePeers('docker-registry'))('the golden cases, stored in docker-registry', () => {
  let registry: DockerRegistry;
  let route: Route;
  beforeAll(async () => {
    registry = await startDockerRegistry();
    await seedVectors(registry.storage);
    route = await startRoute(registry.url);
  });
  afterAll(async () => {
    await route?.stop();
    await registry?.stop();
  });

  /** Sends the request of Docker 1.9, without Accept: an unknown client gets what is stored in place of a refusal. */
  const ask = ({ repository, tag }: GoldenCase) =>
    rawRequest({
      port: route.relay.port,
      method: 'GET',
      path: `/v2/${repository}/manifests/${tag}`,
      headers: [['User-Agent', 'docker/1.9.1']],
    });

  it.each(goldenCasesThat('equal', 44))(
    '$name: regshift signs the payload that docker-registry signed',
    async (each) => {
      const answer = await ask(each);
      expect(answer.status).toBe(200);
      expect(answer.header('Content-Type')).toBe(mediaTypes.schema1Signed);
      expect(answer.header('Docker-Content-Digest')).toBe(each.digest);
      const { payload, verify } = readSignedSchema1(answer.body);
      expect(text(payload)).toBe(text(goldenBytes(`schema1/${each.name}/schema1.payload.json`)));
      expect(await verify()).toBe(true);
    },
  );

  it.each(goldenCasesThat('refuse', 6))('$name is refused in words', async (each) => {
    const answer = await ask(each);
    expect([404, 502]).toContain(answer.status);
    expectErrorOfTheSpec(answer);
  });

  it.each(goldenCasesThat('synthesize', 3))('$name gets a history', async (each) => {
    const answer = await ask(each);
    expect(answer.status).toBe(200);
    const { document, verify } = readSignedSchema1(answer.body);
    expect(document.history).toHaveLength(document.fsLayers.length);
    expect(await verify()).toBe(true);
  });

  it.each(goldenCasesThat('either', 2))('$name does no harm', async (each) => {
    const answer = await ask(each);
    if (answer.status !== 200) {
      expect(answer.status === 502 || (answer.status >= 400 && answer.status < 500)).toBe(true);
      expectErrorOfTheSpec(answer);
    }
    const [next] = goldenCasesThat('equal', 44);
    expect(next && (await ask(next)).status).toBe(200);
  });
});

/** distribution-spec 1.1, "Error Codes". */
function expectErrorOfTheSpec(answer: RawResponse): void {
  expect(answer.header('Content-Type')).toBe('application/json');
  const { errors } = JSON.parse(text(answer.body));
  expect(errors).toHaveLength(1);
  expect(errors[0]).toMatchObject({
    code: expect.stringMatching(/^[A-Z_]+$/),
    message: expect.stringMatching(/\S/),
  });
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
