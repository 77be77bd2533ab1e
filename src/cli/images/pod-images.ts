import * as z from 'zod/mini';
import { UsageError } from '../usage.ts';

const containers = z.array(z.object({ image: z.optional(z.string()) }));
/** Each pod has `containers`; a Deployment has them further inside, and is no pod. */
const pod = z.object({
  metadata: z.nullish(z.object({ name: z._default(z.string(), ''), namespace: z._default(z.string(), '') })),
  spec: z.object({
    initContainers: z._default(containers, []),
    containers,
    ephemeralContainers: z._default(containers, []),
  }),
});
const podList = z.union([
  z.object({ items: z.array(pod) }),
  z.pipe(
    pod,
    z.transform((one) => ({ items: [one] })),
  ),
]);

/** An image, and the first pod that has it. */
export interface PodImage {
  readonly image: string;
  /** Like `default/web`; empty if the pod has no name. */
  readonly pod: string;
}

/**
 * Reads the images of pods, each once, in their order.
 * @param json the output of `kubectl get pods -o json`: a list of pods, or one pod.
 * @throws UsageError for other text.
 */
export function podImages(json: Uint8Array): readonly PodImage[] {
  const read = podList.safeParse(parsed(json));
  if (!read.success) {
    throw new UsageError('Standard input has no pods. Use: kubectl get pods -o json | regshift check --pods');
  }
  const all = read.data.items.flatMap(({ metadata, spec }) => {
    const pod = [metadata?.namespace, metadata?.name].filter(Boolean).join('/');
    const own = [...spec.initContainers, ...spec.containers, ...spec.ephemeralContainers];
    return own.flatMap(({ image }) => (image ? { image, pod } : []));
  });
  return [...Map.groupBy(all, ({ image }) => image).values()].flatMap((same) => same[0] ?? []);
}

function parsed(json: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(json));
  } catch {
    return undefined;
  }
}
