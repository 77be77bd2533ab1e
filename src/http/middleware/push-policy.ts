import { RegistryError } from '../../errors.ts';
import type { Resource } from '../params.ts';

const reads = ['GET', 'HEAD'];

/** What each resource knows (distribution-spec 1.1, "Endpoints"; an upload answers HEAD too for distribution). */
const methods: Readonly<Record<Resource['kind'], { readonly reads: string[]; readonly writes: string[] }>> = {
  ping: { reads, writes: [] },
  token: { reads, writes: [] },
  catalog: { reads, writes: [] },
  tags: { reads, writes: [] },
  referrers: { reads, writes: [] },
  manifest: { reads, writes: ['PUT', 'DELETE'] },
  blob: { reads, writes: ['DELETE'] },
  uploads: { reads: [], writes: ['POST'] },
  // Whoever may not push has no upload to ask about.
  upload: { reads: [], writes: ['GET', 'HEAD', 'PATCH', 'PUT', 'DELETE'] },
};

/** @throws RegistryError METHOD_NOT_ALLOWED, with what is allowed. */
export function refuseMethod(method: string, { kind }: Resource, takesPushes: boolean): void {
  const { reads, writes } = methods[kind];
  const allowed = takesPushes ? [...reads, ...writes] : reads;
  if (allowed.includes(method)) return;
  const headers = { Allow: allowed.join(', ') };
  const message = writes.includes(method)
    ? 'This proxy is set to read only (REGSHIFT_PUSH): nothing can be pushed or deleted through it. Push to the ' +
      'registry itself.'
    : `${method.slice(0, 40)} is not served here${allowed.length > 0 ? `, only ${allowed.join(', ')}` : ''}.`;
  throw new RegistryError('METHOD_NOT_ALLOWED', message, { headers });
}
