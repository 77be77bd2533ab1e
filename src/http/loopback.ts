/**
 * The words for a proxy that listens on the loopback interface alone, without a full stop. The terminal and the page say
 * them.
 */
export const onlyThisMachine = 'Only this machine reaches it. For other machines, start it with HOST=0.0.0.0';

/** Whether only its own machine reaches a server. @param host the name or address on which the server listens. */
export function isLoopback(host: string): boolean {
  return /^(?:127\.[\d.]+|\[?::1\]?|localhost)$/i.test(host);
}
