import * as z from 'zod/mini';
import { UsageError } from '../usage.ts';

const containers = z._default(z.array(z.object({ image: z.optional(z.string()) })), []);
const pod = z.object({
  spec: z.object({
    initContainers: containers,
    containers,
    ephemeralContainers: containers,
  }),
});
const podList = z.union([
  z.object({ items: z.array(pod) }),
  z.pipe(
    pod,
    z.transform((one) => ({ items: [one] })),
  ),
]);

/**
 * Reads the images of pods, each once, in their order.
 * @param json the output of `kubectl get pods -o json`: a list of pods, or one pod.
 * @throws UsageError for other text.
 */
export function podImages(json: Uint8Array): readonly string[] {
  const read = podList.safeParse(parsed(json));
  if (!read.success) {
    throw new UsageError('Standard input has no pods. Use: kubectl get pods -o json | regshift check --pods');
  }
  const all = read.data.items.flatMap(({ spec }) => [
    ...spec.initContainers,
    ...spec.containers,
    ...spec.ephemeralContainers,
  ]);
  return [...new Set(all.flatMap(({ image }) => image || []))];
}

function parsed(json: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(json));
  } catch {
    return undefined;
  }
}
