/** A challenge as Go programs read it. */
export interface GoChallenge {
  /** The scheme in lower case. */
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * Parses `WWW-Authenticate` as Docker, containers/image and containerd do, which share a few lines that know one
 * challenge for each header line: of `Basic realm="a", Bearer realm="b"` they see the first (distribution,
 * registry/client/auth/challenge, parseValueAndParams).
 */
export function parseGoChallenge(header: string | undefined): GoChallenge | undefined {
  const [, scheme, fields = ''] = /^\s*([^\s,"=]+)\s*(.*)$/s.exec(header ?? '') ?? [];
  if (scheme === undefined) return undefined;
  const parameters = new Map<string, string>();
  const field = /[\s,]*([^\s,"=]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))/sy;
  for (let match = field.exec(fields); match !== null; match = field.exec(fields)) {
    const [, name = '', quoted, bare = ''] = match;
    parameters.set(name.toLowerCase(), quoted?.replace(/\\(.)/gs, '$1') ?? bare);
  }
  return { scheme: scheme.toLowerCase(), parameters };
}
