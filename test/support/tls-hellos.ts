import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, 'tls-hellos');

/**
 * The first bytes of real TLS clients, as a socket received them from the named program. `sslv2-compatible` follows
 * RFC 5246, appendix E.2; `go-1.19-tls1.0` is a TLS 1.0 record, the first record of engines of Go 1.3.
 */
export const tlsHellos: readonly (readonly [name: string, bytes: Uint8Array])[] = readdirSync(folder).map(
  (file) => {
    const hex = readFileSync(join(folder, file), 'utf8').replace(/\s/g, '');
    return [file.replace('.hex', ''), new Uint8Array(Buffer.from(hex, 'hex'))];
  },
);
