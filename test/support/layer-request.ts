import type { LayerRequest, OpenLayer } from '../../src/layers/layer-request.ts';

/** A request for a layer by a client that may read the repository. */
export function layerRequest(
  open: OpenLayer,
  repository = 'team/app',
  credential = 'none',
  address = '192.0.2.1',
): LayerRequest {
  const right = { repository, credential };
  return { open, access: right, owner: ['https://upstream.test', address, credential, repository] };
}
