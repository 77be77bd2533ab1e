import { join, utf8 } from './bytes.ts';

export type TarEntry =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string; readonly content: Uint8Array };

const blockSize = 512;

/** 2016-02-04, the release of Docker 1.10. The time is fixed, so that equal input gives equal bytes. */
const modificationTime = 1_454_544_000;

/**
 * Creates a POSIX ustar archive. Directories have mode 0755 and files 0644; all have owner 0:0 and one fixed time.
 * @throws RangeError for a path longer than the 100 bytes of the header's name field.
 */
export function tar(entries: readonly TarEntry[]): Uint8Array {
  const parts = entries.flatMap((entry) =>
    entry.kind === 'file' ? [header(entry), padded(entry.content)] : [header(entry)],
  );
  // Two zero blocks end an archive (POSIX.1-2017, pax, "ustar Interchange Format").
  return join([...parts, new Uint8Array(2 * blockSize)]);
}

function padded(content: Uint8Array): Uint8Array {
  const rest = content.length % blockSize;
  return rest === 0 ? content : join([content, new Uint8Array(blockSize - rest)]);
}

function header(entry: TarEntry): Uint8Array {
  const isFile = entry.kind === 'file';
  const name = utf8(isFile ? entry.path : `${entry.path}/`);
  if (name.length > 100) throw new RangeError(`${entry.path} does not fit the name field of a tar header`);
  const block = new Uint8Array(blockSize);
  block.set(name, 0);
  block.set(octal(isFile ? 0o644 : 0o755, 8), 100);
  block.set(octal(0, 8), 108); // uid
  block.set(octal(0, 8), 116); // gid
  block.set(octal(isFile ? entry.content.length : 0, 12), 124);
  block.set(octal(modificationTime, 12), 136);
  block.set(utf8(' '.repeat(8)), 148); // the checksum counts its own field as spaces
  block.set(utf8(isFile ? '0' : '5'), 156);
  block.set(utf8('ustar\u000000'), 257);
  const checksum = block.reduce((sum, byte) => sum + byte, 0);
  block.set(utf8(`${checksum.toString(8).padStart(6, '0')}\0 `), 148);
  return block;
}

function octal(value: number, width: number): Uint8Array {
  return utf8(`${value.toString(8).padStart(width - 1, '0')}\0`);
}
