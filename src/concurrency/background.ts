/**
 * Lets work go on when the request that it was begun for is over, and others may wait for it: `waitUntil` on Workers,
 * where a request that ends, or whose client leaves, takes with it all that it had under way. Nothing on Node.
 */
export type Background = (work: Promise<unknown>) => void;
