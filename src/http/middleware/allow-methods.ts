import type { MiddlewareHandler } from 'hono';
import { RegistryError } from '../../errors.ts';
import type { Env } from '../env.ts';

/** The methods of a resource that only reads. */
export const reads = ['GET', 'HEAD'] as const;

/**
 * Middleware: refuses methods that a resource does not have (distribution-spec 1.1, "Endpoints"), and those that write
 * where the route does not take pushes (REGSHIFT_PUSH).
 * @param read methods that every route serves. @param write methods that need a route which takes pushes.
 * @throws RegistryError METHOD_NOT_ALLOWED with the allowed methods in `Allow`.
 */
export function allowMethods(read: readonly string[], write: readonly string[] = []): MiddlewareHandler<Env> {
  return async (context, next) => {
    const { method } = context.req.raw;
    const takesPushes = write.length > 0 && context.get('route')?.registry.takesPushes === true;
    const allowed = takesPushes ? [...read, ...write] : read;
    if (!allowed.includes(method)) throw methodNotAllowed(method, allowed, write.includes(method));
    await next();
  };
}

function methodNotAllowed(method: string, allowed: readonly string[], isPush: boolean): RegistryError {
  const message = isPush
    ? 'This proxy is set to read only (REGSHIFT_PUSH): nothing can be pushed or deleted through it. Push to the ' +
      'registry itself.'
    : `${method.slice(0, 40)} is not served here${allowed.length > 0 ? `, only ${allowed.join(', ')}` : ''}.`;
  return new RegistryError('METHOD_NOT_ALLOWED', message, { headers: { Allow: allowed.join(', ') } });
}
