import type { ClientRequest } from '../routes/client-request.ts';
import { type ClientAuth, requireLogin } from './client-auth.ts';
import type { TellRefusal } from './upstream-refusal.ts';

export type Answerer = (request: ClientRequest) => Promise<Response>;

export interface Guards {
  readonly clientAuth: ClientAuth | undefined;
  readonly tellRefusal: TellRefusal;
}

/** Stands before every route, those of tomorrow too: who is not let in learns not even whether a path exists. */
export function guarded(answer: Answerer, { clientAuth, tellRefusal }: Guards): Answerer {
  return async (request) => {
    await requireLogin(clientAuth, request.headers);
    try {
      return await answer(request);
    } catch (error) {
      throw await tellRefusal(error, request);
    }
  };
}
