// `npm run config:types` writes this file from src/config/schema.ts and test/support/docs/setting-rows.ts.

/** One of these texts. An environment has any text; regshift refuses all others. */
type OneOf<Text extends string> = Text | (string & Record<never, never>);

/**
 * The settings of an embedded app, by the names of the environment variables of docs/settings.md. Text, numbers and
 * objects of JSON are taken. An empty text counts as not set. Members with other names are ignored, unless they begin with
 * `REGSHIFT_`: so `process.env`, or the `env` of a Worker, may be given as it is.
 */
export interface AppSettings {
  /** The address that clients use, if it is not the one that they connect to. */
  readonly REGSHIFT_PUBLIC_URL?: string | undefined;
  /** Addresses of proxies whose `X-Forwarded-*` regshift believes, like `10.0.0.0/8`. */
  readonly REGSHIFT_TRUSTED_PROXIES?: string | undefined;
  /**
   * The URL of the registry, with or without `/v2/`; several URLs with commas between them are mirrors, used in
   * this order when one fails. Several addresses need `REGSHIFT_UPSTREAM_AUTH=anonymous` or `docker-config`.
   * Clients cannot push through several addresses (docs/routes.md).
   */
  readonly REGSHIFT_UPSTREAM?: string | undefined;
  /**
   * A file with settings and routes to several registries, YAML or JSON (docs/routes.md); on Workers JSON, or a
   * key of the KV namespace.
   */
  readonly REGSHIFT_CONFIG?: string | object | undefined;
  /**
   * `next`: if a mirror answers 404, regshift asks the next one of `REGSHIFT_UPSTREAM`; `stop`: the client gets
   * the 404 (docs/routes.md).
   */
  readonly REGSHIFT_MIRROR_MISS?: OneOf<'stop' | 'next'> | undefined;
  /**
   * Other addresses of the registry, like `http://registry.internal:5000`, that it names in the addresses of
   * uploads (docs/networks.md).
   */
  readonly REGSHIFT_UPSTREAM_ALIASES?: string | undefined;
  /**
   * Addresses, like `10.0.0.0/8`, that the registry may send the proxy to by redirects, upload locations and token
   * servers, although they are nearer than its own address (docs/security.md).
   */
  readonly REGSHIFT_UPSTREAM_NETWORKS?: string | undefined;
  /**
   * Seconds for a response of the registry: manifests, lists, tokens; for writes and layers, longest time without
   * a byte, 600 at least (docs/networks.md).
   */
  readonly REGSHIFT_UPSTREAM_TIMEOUT?: number | string | undefined;
  /**
   * `passthrough`: the registry gets the client's own login; `anonymous`: the registry gets no login; `basic`,
   * `docker-config`, `ecr`, `gcp`, `acr`: the proxy uses its own account.
   */
  readonly REGSHIFT_UPSTREAM_AUTH?:
    | OneOf<'passthrough' | 'anonymous' | 'basic' | 'docker-config' | 'ecr' | 'gcp' | 'acr'>
    | undefined;
  /** The proxy's own account, for `basic`. */
  readonly REGSHIFT_UPSTREAM_USERNAME?: string | undefined;
  /** The proxy's own account, for `basic`. */
  readonly REGSHIFT_UPSTREAM_PASSWORD?: string | undefined;
  /**
   * For `docker-config`: a `config.json` as `docker login` writes it, or a path to one; with `credHelpers` or
   * `credsStore`, Node runs `docker-credential-<name>`.
   */
  readonly REGSHIFT_DOCKER_CONFIG?: string | object | undefined;
  /** For `ecr`: the access key that gets logins of Amazon ECR; and for a store in a bucket (docs/networks.md). */
  readonly AWS_ACCESS_KEY_ID?: string | undefined;
  /** For `ecr`: the access key that gets logins of Amazon ECR; and for a store in a bucket (docs/networks.md). */
  readonly AWS_SECRET_ACCESS_KEY?: string | undefined;
  /** For `ecr`: the access key that gets logins of Amazon ECR; and for a store in a bucket (docs/networks.md). */
  readonly AWS_SESSION_TOKEN?: string | undefined;
  /** For `ecr`: another address of the ECR API. */
  readonly AWS_ENDPOINT_URL_ECR?: string | undefined;
  /** For `gcp`: the JSON key of a service account, or a path to it. */
  readonly REGSHIFT_GOOGLE_KEY?: string | object | undefined;
  /** For `acr`: a service principal that may pull. */
  readonly AZURE_TENANT_ID?: string | undefined;
  /** For `acr`: a service principal that may pull. */
  readonly AZURE_CLIENT_ID?: string | undefined;
  /** For `acr`: a service principal that may pull. */
  readonly AZURE_CLIENT_SECRET?: string | undefined;
  /** For `acr`: another address of Microsoft Entra ID. */
  readonly AZURE_AUTHORITY_HOST?: string | undefined;
  /**
   * How clients log in to the proxy: `basic`, `jwt`, or `none` for no login; `basic` and `jwt` need another
   * `REGSHIFT_UPSTREAM_AUTH` than `passthrough`.
   */
  readonly REGSHIFT_CLIENT_AUTH?: OneOf<'none' | 'basic' | 'jwt'> | undefined;
  /** For `basic`: the users, or a path to a file (`htpasswd -B`). */
  readonly REGSHIFT_HTPASSWD?: string | undefined;
  /** For `jwt`: the keys, issuer and audience of accepted tokens; clients send the token as their password. */
  readonly REGSHIFT_JWKS_URL?: string | undefined;
  /** For `jwt`: the keys, issuer and audience of accepted tokens; clients send the token as their password. */
  readonly REGSHIFT_JWKS?: string | object | undefined;
  /** For `jwt`: the keys, issuer and audience of accepted tokens; clients send the token as their password. */
  readonly REGSHIFT_JWT_ISSUER?: string | undefined;
  /** For `jwt`: the keys, issuer and audience of accepted tokens; clients send the token as their password. */
  readonly REGSHIFT_JWT_AUDIENCE?: string | undefined;
  /**
   * `always`: clients get tokens from this proxy's `/token`, which requests them from the registry's token server;
   * `never`: clients use the token server directly.
   */
  readonly REGSHIFT_TOKEN_RELAY?: OneOf<'always' | 'never'> | undefined;
  /**
   * `auto`, or one form for every client. Charts, signatures and other artifacts have no other form: clients that
   * read them get them as they are.
   */
  readonly REGSHIFT_FORMAT?: OneOf<'auto' | 'schema1' | 'schema2' | 'oci' | 'generic'> | undefined;
  /** The platform of clients that cannot select one and do not name theirs. */
  readonly REGSHIFT_PLATFORM?: string | undefined;
  /**
   * `full`: an index is converted with all its images; `one`: the client gets the image of its platform; `auto`:
   * `one` if the registry counts pulls, else `full`.
   */
  readonly REGSHIFT_LISTS?: OneOf<'auto' | 'full' | 'one'> | undefined;
  /**
   * `one`: every client gets the image of one platform for the tag of an index, also a client that reads indexes;
   * this wins over `REGSHIFT_LISTS`; `keep`: as the client reads it (docs/clients.md).
   */
  readonly REGSHIFT_INDEX?: OneOf<'keep' | 'one'> | undefined;
  /**
   * `drop`: the index of a tag goes out without BuildKit's attestations; `keep`: with them, where the client reads
   * the stored index.
   */
  readonly REGSHIFT_ATTESTATIONS?: OneOf<'keep' | 'drop'> | undefined;
  /**
   * `plain`: by tag, no client gets zstd layers, whatever it decompresses; `auto`: a client that decompresses zstd
   * gets them.
   */
  readonly REGSHIFT_LAYERS?: OneOf<'auto' | 'plain'> | undefined;
  /**
   * A rule about clients that cannot read what they ask for, as JSON, or a list of such; `clients` in the file
   * (docs/clients.md).
   */
  readonly REGSHIFT_CLIENTS?: string | object | undefined;
  /** `always` also converts manifests requested by digest: for tools that do not verify digests. */
  readonly REGSHIFT_CONVERT_BY_DIGEST?: OneOf<'never' | 'always'> | undefined;
  /** `accept` or `refuse` schema 1 that the registry stores without a signature. */
  readonly REGSHIFT_UNSIGNED_SCHEMA1?: OneOf<'accept' | 'refuse'> | undefined;
  /** The repositories that regshift serves, like `library/*, team/**`. */
  readonly REGSHIFT_REPOSITORIES?: string | undefined;
  /** Short names for long ones, like `team/app=group/sub/app`: Docker up to 1.7 allows two parts at most. */
  readonly REGSHIFT_ALIASES?: string | undefined;
  /** How many tags of a repository clients of registry API v1 see: `latest` and the newest. */
  readonly REGSHIFT_V1_TAGS?: number | string | undefined;
  /**
   * `stream` layers through the proxy, or `redirect` clients to the registry's storage; Docker up to 1.7 and API
   * v1 always get a stream, which regshift verifies.
   */
  readonly REGSHIFT_BLOBS?: OneOf<'stream' | 'redirect'> | undefined;
  /**
   * `registry`: the registry's `Access-Control-*` headers and its responses to preflights pass through to web
   * pages (registry UIs); `never`: they do not; `auto`: `registry` with `REGSHIFT_UPSTREAM_AUTH=passthrough`, else
   * `never`.
   */
  readonly REGSHIFT_CORS?: OneOf<'auto' | 'registry' | 'never'> | undefined;
  /**
   * `allow`: pushes and deletions pass through, if the registry accepts them; if a pushed manifest names content
   * that regshift made, regshift first uploads that content with the same login; `refuse`: the proxy is read-only.
   */
  readonly REGSHIFT_PUSH?: OneOf<'allow' | 'refuse'> | undefined;
  /**
   * The form in which a pushed manifest is stored: `auto`: as it is pushed, and converted where the registry
   * refuses its form; `asis`: always as it is pushed; `schema2`, `oci`: always this one (docs/pushes.md).
   */
  readonly REGSHIFT_PUSH_FORMAT?: OneOf<'auto' | 'asis' | 'schema2' | 'oci'> | undefined;
  /**
   * `allow`: where the stored form cannot hold attestations or annotations, they are left out and named in
   * `Regshift-Conversion`; `refuse`: such a push is refused.
   */
  readonly REGSHIFT_PUSH_LOSSES?: OneOf<'allow' | 'refuse'> | undefined;
  /** Seconds for which regshift reuses a tag's digest, and the right to it, before it asks the registry again. */
  readonly REGSHIFT_TAG_TTL?: number | string | undefined;
  /** Seconds for which a public image is served while the registry fails. */
  readonly REGSHIFT_STALE?: number | string | undefined;
  /** Memory for all that is remembered: manifests, conversions, whole responses, proofs of access, tokens. */
  readonly REGSHIFT_CACHE_BYTES?: number | string | undefined;
  /** Maximum number of requests and streams at once; beyond that, clients get 503 with `Retry-After`. */
  readonly REGSHIFT_MAX_REQUESTS?: number | string | undefined;
  /**
   * Maximum number of upstream and cache requests per client request; beyond that the request fails; set `48` on
   * the free plan of Workers, which allows 50.
   */
  readonly REGSHIFT_SUBREQUESTS?: number | string | undefined;
  /**
   * Seconds that a client waits for layers that regshift must read first (zstd for old clients, schema 1 for new
   * ones); after that, the response says when to retry.
   */
  readonly REGSHIFT_MEASURE_DEADLINE?: number | string | undefined;
  /** The largest decompressed layer that regshift reads or decompresses. */
  readonly REGSHIFT_LAYER_BYTES?: number | string | undefined;
  /** Limits of the search for an unknown digest: tags to resolve, images to fetch. */
  readonly REGSHIFT_WALK_TAGS?: number | string | undefined;
  /** Limits of the search for an unknown digest: tags to resolve, images to fetch. */
  readonly REGSHIFT_WALK_GETS?: number | string | undefined;
  /**
   * A store for layers that regshift decompresses: `file:///var/lib/regshift`, a folder, on Node;
   * `s3://bucket/prefix?region=…`, a bucket; on Workers also R2, by the binding `LAYERS` (docs/store.md).
   */
  readonly REGSHIFT_STORE?: string | undefined;
  /** `made`: the store has layers that regshift decompressed; `all`: also the registry's blobs that clients get. */
  readonly REGSHIFT_STORE_BLOBS?: OneOf<'made' | 'all'> | undefined;
  /** P-256 private key for schema 1: JWK, PEM, or a path to one (`npx regshift keygen`). */
  readonly REGSHIFT_SIGNING_KEY?: string | object | undefined;
  /**
   * A secret of 16 or more characters: `POST /events` then takes the notifications of registries, and images are
   * converted before their first pull (docs/events.md).
   */
  readonly REGSHIFT_EVENTS_SECRET?: string | undefined;
  /** The clients that images are converted for then, by the names of `regshift inspect`, or `none`. */
  readonly REGSHIFT_WARM?: string | undefined;
  /** `debug`, `info`, `warn`, `error`. */
  readonly LOG_LEVEL?: OneOf<'debug' | 'info' | 'warn' | 'error'> | undefined;
  /**
   * The page for browsers at `/`: `on`, `off`, or `status` to show the state and the numbers of the proxy, too
   * (docs/operations.md).
   */
  readonly REGSHIFT_PAGE?: OneOf<'on' | 'off' | 'status'> | undefined;
}
