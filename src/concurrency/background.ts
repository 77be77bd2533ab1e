/**
 * Keeps work alive after the request that started it has ended, because other requests may wait for it. On Workers this
 * is `waitUntil`: the runtime cancels all work of a request that ends or whose client disconnects. On Node it does
 * nothing.
 */
export type Background = (work: Promise<unknown>) => void;
