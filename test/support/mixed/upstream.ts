import type { Random } from '../../fuzz/random.ts';
import { contentFaults, quickFaults, slowFaults } from '../faults/faults.ts';
import {
  type Asked,
  give,
  type HostileUpstream,
  jsonAnswer,
  type Misbehave,
  refusal,
  startHostileUpstream,
} from '../faults/hostile-upstream.ts';

/** The Authorization of clients with a wrong password. */
export const wrongLogin = /^Basic d3Jvbmc/;

const faults: readonly (readonly [string, Misbehave])[] = Object.entries(quickFaults);
const slow: readonly Misbehave[] = Object.values(slowFaults);

/**
 * Serves the samples, takes uploads, refuses wrong logins, and gives faults to some responses.
 * @param oneIn the number of responses for each fault.
 * @param slowOneIn the number of faults for each one that never ends; none by default.
 */
export async function startMixedUpstream(
  random: Random,
  oneIn = 12,
  slowOneIn?: number,
): Promise<HostileUpstream> {
  const upstream = await startHostileUpstream();
  upstream.misbehave(
    async (asked) => {
      const { request, response } = asked;
      const isHead = request.method === 'HEAD';
      if (wrongLogin.test(request.headers.authorization ?? '')) {
        give(response, refusal(401, 'UNAUTHORIZED', { 'www-authenticate': 'Basic realm="test"' }), isHead);
      } else if (['POST', 'PATCH', 'PUT'].includes(request.method ?? '')) await takeUpload(asked);
      else if (random.oneIn(oneIn)) await faultOf(random, asked, slowOneIn)(asked);
      else give(response, asked.good, isHead);
    },
    () => true,
  );
  return upstream;
}

/** Selects a fault. The bytes of a blob pass through as they come, so a broken blob is broken for the client too. */
function faultOf(random: Random, { request }: Asked, slowOneIn: number | undefined): Misbehave {
  const isBlob = request.url?.includes('/blobs/') ?? false;
  if (!isBlob && slowOneIn !== undefined && random.oneIn(slowOneIn)) return random.one(slow);
  const [name, how] = random.one(faults);
  return isBlob && contentFaults.includes(name) ? quickFaults['answers 503'] : how;
}

async function takeUpload({ request, response }: Asked): Promise<void> {
  try {
    for await (const _ of request);
  } catch {
    // The client has left in the middle.
    response.destroy();
    return;
  }
  const [path = ''] = (request.url ?? '').split('?');
  const location = request.method === 'POST' ? `${path}1234` : path;
  const status = request.method === 'PUT' ? 201 : 202;
  give(response, { ...jsonAnswer(status, {}), headers: { location, range: '0-0' } }, false);
}
