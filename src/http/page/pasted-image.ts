/** The image that a pasted text names. */
interface PastedImage {
  readonly name: string;
  readonly platform?: string | undefined;
}

/** Options of `docker pull` and `podman pull` whose value is the next word. */
const withValue = /^--(?:platform|arch|os|variant|creds|authfile|cert-dir|decryption-key|retry(?:-delay)?)$/;

/**
 * The words after a pull, after FROM of a Dockerfile, or after the key of a compose file or a pod. In a client's error,
 * the word `pull` stands before other words.
 */
const afterVerb = /(?:^|\s)(?:pull(?!\s+(?:access|and|image|rate)\s)|FROM|[Ii]mage:)\s+([^#;&|]*)/;

/** Addresses of a manifest and of tags (Distribution Specification 1.1), and web pages of three registries. */
const addresses = [
  [/^\/?v2\/(.+)\/manifests\/(\w+:[^?]+).*/, '$1@$2'],
  [/^\/?v2\/(.+)\/manifests\/([^?]+).*/, '$1:$2'],
  [/^\/?v2\/(.+)\/tags\/list.*/, '$1'],
  [/^hub\.docker\.com\/_\/([^/?#]+).*/, 'docker.io/library/$1'],
  [/^hub\.docker\.com\/(?:r|layers)\/([^/?#]+\/[^/?#]+).*/, 'docker.io/$1'],
  [/^quay\.io\/repository\/([^/?#]+\/[^/?#]+).*/, 'quay.io/$1'],
  [
    /^github\.com\/(?:orgs\/)?([^/]+)\/(?:[^/]+\/pkgs|packages)\/container\/(?:package\/)?([^/?#]+).*/,
    'ghcr.io/$1/$2',
  ],
] as const;

/**
 * Finds the image in a text that a viewer pasted: a name, an address, a command, or a line of a Dockerfile, of a compose
 * file or of an error.
 * @param hosts the addresses of the proxy: a word that begins with one of them is the image, wherever it stands.
 */
export function pastedImage(text: string, hosts: readonly string[]): PastedImage {
  const visible = text.replace(/\p{Cf}|^["'`]+|["'`,]+$/gu, '').trim();
  if (!/\s/.test(visible)) return { name: withoutAddress(visible, hosts) };
  const plain = visible.replace(/["'`]/g, '');
  const words = plain.split(/\s+/);
  const word =
    words.find((each) => hosts.some((host) => withoutScheme(each).startsWith(`${host}/`))) ??
    words.find((each) => /^(?:(?:docker|oci):\/\/|\/v2\/)/.test(each)) ??
    operandOf(afterVerb.exec(plain)?.[1] ?? '');
  if (word === undefined) return { name: withoutAddress(text, hosts) };
  return { name: withoutAddress(word.replace(/[,:]+$/, ''), hosts), platform: platformIn(plain) };
}

/** The first word that is neither an option nor the value of one. */
function operandOf(command: string): string | undefined {
  const words = command.split(/\s+/);
  return words.find((word, at) => /^[^-]/.test(word) && !withValue.test(words[at - 1] ?? ''));
}

/** The platform of the options of docker, podman and skopeo; a variable of a Dockerfile is none. */
function platformIn(command: string): string | undefined {
  const option = (name: string) =>
    new RegExp(`\\s--(?:override-)?${name}[=\\s]+([^\\s$]+)`).exec(command)?.[1];
  const architecture = option('arch');
  if (architecture === undefined) return option('platform');
  return [option('os') ?? 'linux', architecture, option('variant')].filter(Boolean).join('/');
}

/** A login has no place in a name, nor in the log. */
function withoutScheme(text: string): string {
  return text.replace(/^(?:https?|docker|oci):\/\//, '').replace(/^[^/]*@(?=[^/]+\/)/, '');
}

/** The viewer may know the proxy, or its registry, by another name: no repository has a port in its name. */
function withoutAddress(text: string, hosts: readonly string[]): string {
  const name = withoutScheme(text);
  const own = hosts.find((host) => name.startsWith(`${host}/`));
  const path = own === undefined ? name.replace(/^[^/@]+:\d{1,5}\//, '') : name.slice(own.length + 1);
  return addresses.reduce((found, [form, named]) => found.replace(form, named), path);
}
