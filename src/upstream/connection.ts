/** The way to a registry, where a runtime lets regshift choose it. */
export interface UpstreamConnection {
  /** The proxy of all requests of the route; `none`: no proxy; undefined: the proxies of the environment. */
  readonly proxy?: URL | 'none' | undefined;
  readonly tls?: UpstreamTls | undefined;
}

/** How connections with TLS are verified, and the certificate of regshift itself. */
export interface UpstreamTls {
  /** Certificates of authorities in PEM, beside those of the runtime. All hosts of the route may have theirs. */
  readonly authorities?: string | undefined;
  /** The certificate and the key that regshift shows to `hosts`, in PEM. */
  readonly certificate?: { readonly cert: string; readonly key: string } | undefined;
  /** True: the certificates of `hosts` are not verified. */
  readonly insecure: boolean;
  /** The host names of the configured registries. Hosts that a registry names are not among them. */
  readonly hosts: readonly string[];
}
