/** One way in, as Go programs read it. */
export interface GoChallenge {
  /** Lower case. */
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * Docker, containers/image and containerd read `WWW-Authenticate` with the same few lines, which know one challenge
 * a header line: of `Basic realm="a", Bearer realm="b"` they see the first (distribution, registry/client/auth/
 * challenge, parseValueAndParams).
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
