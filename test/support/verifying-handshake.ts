import { execFile } from 'node:child_process';

/**
 * A TLS handshake that trusts no authority. OpenSSL verifies before it ends the handshake, as Go does, and says why it
 * refuses the certificate; the client of Node says nothing.
 */
export function verifyingHandshake(port: number): Promise<void> {
  const trustsNone = ['-verify_return_error', '-no-CAfile', '-no-CApath'];
  const args = ['s_client', '-connect', `127.0.0.1:${port}`, ...trustsNone];
  return new Promise((resolve) => execFile('openssl', args, () => resolve()).stdin?.end());
}
