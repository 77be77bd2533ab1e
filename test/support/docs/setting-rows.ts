/**
 * The settings in groups, with their meaning for people. `npm run config:docs` writes docs/settings.md, and
 * `npm run config:schema` the descriptions of deploy/regshift.schema.json. Links are those of a page in docs/.
 */
import type { Variable } from '../../../src/config/schema.ts';

export interface SettingRow {
  /** Settings that belong together. */
  readonly variables: readonly [Variable, ...Variable[]];
  readonly meaning: string;
  /** The default in words; absent where it is the one of the schema. */
  readonly otherwise?: string;
}

export interface SettingGroup {
  readonly title: string;
  /** One sentence for the reader who looks for the right group. */
  readonly about: string;
  readonly rows: readonly SettingRow[];
}

export const settingGroups: readonly SettingGroup[] = [
  {
    title: 'Address',
    about: 'The address that regshift listens on, and the one that clients use.',
    rows: [
      {
        variables: ['HOST', 'PORT'],
        meaning:
          'the address and port to listen on; only this machine reaches `127.0.0.1`, `0.0.0.0` stands for all addresses of IPv4, and `::` for those of IPv4 and IPv6',
      },
      {
        variables: ['REGSHIFT_TLS_CERT', 'REGSHIFT_TLS_KEY'],
        meaning:
          'a certificate (with its intermediate certificates) and its key, as PEM or as paths; regshift reloads renewed files; Node only ([operations.md](operations.md#tls))',
        otherwise: 'plain HTTP',
      },
      {
        variables: ['REGSHIFT_PUBLIC_URL'],
        meaning: 'the address that clients use, if it is not the one that they connect to',
        otherwise: 'scheme and Host of the request',
      },
      {
        variables: ['REGSHIFT_TRUSTED_PROXIES'],
        meaning: 'addresses of proxies whose `X-Forwarded-*` regshift believes, like `10.0.0.0/8`',
        otherwise: 'none',
      },
    ],
  },
  {
    title: 'Registry',
    about: 'The registry behind regshift, and the way to it.',
    rows: [
      {
        variables: ['REGSHIFT_UPSTREAM'],
        meaning:
          'the URL of the registry, with or without `/v2/`; several URLs with commas between them are mirrors, used in this order when one fails. Several addresses need `REGSHIFT_UPSTREAM_AUTH=anonymous` or `docker-config`. Clients cannot push through several addresses ([routes.md](routes.md#several-registries-that-hold-the-same))',
        otherwise:
          '`sample`, the sample registry; with `NODE_ENV=production`, only `npm start` in a clone starts without a value',
      },
      {
        variables: ['REGSHIFT_CONFIG'],
        meaning:
          'a file with settings and routes to several registries, YAML or JSON ([routes.md](routes.md)); on Workers JSON, or a key of the KV namespace',
        otherwise: 'none',
      },
      {
        variables: ['REGSHIFT_MIRROR_MISS'],
        meaning:
          '`next`: if a mirror answers 404, regshift asks the next one of `REGSHIFT_UPSTREAM`; `stop`: the client gets the 404 ([routes.md](routes.md))',
      },
      {
        variables: ['REGSHIFT_UPSTREAM_ALIASES'],
        meaning:
          'other addresses of the registry, like `http://registry.internal:5000`, that it names in the addresses of uploads ([networks.md](networks.md#registries-that-name-themselves-otherwise))',
        otherwise: 'none',
      },
      {
        variables: ['REGSHIFT_UPSTREAM_NETWORKS'],
        meaning:
          'addresses, like `10.0.0.0/8`, that the registry may send the proxy to by redirects, upload locations and token servers, although they are nearer than its own address ([security.md](security.md))',
        otherwise: 'none',
      },
      {
        variables: ['REGSHIFT_UPSTREAM_PROXY'],
        meaning:
          'an outbound proxy for the registry, its token server and its storage, like `http://proxy.example:3128`; `none`: no proxy; Node only ([networks.md](networks.md#outbound-proxies))',
        otherwise: '`HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` of the environment',
      },
      {
        variables: ['REGSHIFT_UPSTREAM_TIMEOUT'],
        meaning:
          'seconds for a response of the registry: manifests, lists, tokens; for writes and layers, longest time without a byte, 600 at least ([networks.md](networks.md#timeouts))',
      },
      {
        variables: ['REGSHIFT_UPSTREAM_CA'],
        meaning:
          'certificates of authorities that the proxy trusts for the registry and for the hosts that it names, beside those of Node; PEM, or a path; Node only ([networks.md](networks.md#certificates))',
        otherwise: "Node's own, and `NODE_EXTRA_CA_CERTS`",
      },
      {
        variables: ['REGSHIFT_UPSTREAM_CERT', 'REGSHIFT_UPSTREAM_KEY'],
        meaning:
          'a certificate and its key that the proxy shows to the registry (mTLS); PEM, or paths; Node only',
        otherwise: 'none',
      },
      {
        variables: ['REGSHIFT_UPSTREAM_INSECURE'],
        meaning: '`true`: the proxy does not verify the certificate of the registry; Node only',
      },
    ],
  },
  {
    title: 'Login at the registry',
    about: "Whose login the registry gets: the client's own, none, or that of an account of the proxy.",
    rows: [
      {
        variables: ['REGSHIFT_UPSTREAM_AUTH'],
        meaning:
          "`passthrough`: the registry gets the client's own login; `anonymous`: the registry gets no login; `basic`, `docker-config`, `ecr`, `gcp`, `acr`: the proxy uses its own account",
      },
      {
        variables: ['REGSHIFT_UPSTREAM_USERNAME', 'REGSHIFT_UPSTREAM_PASSWORD'],
        meaning: "the proxy's own account, for `basic`",
        otherwise: 'none',
      },
      {
        variables: ['REGSHIFT_DOCKER_CONFIG'],
        meaning:
          'for `docker-config`: a `config.json` as `docker login` writes it, or a path to one; with `credHelpers` or `credsStore`, Node runs `docker-credential-<name>`',
        otherwise: 'none',
      },
      {
        variables: ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'],
        meaning:
          'for `ecr`: the access key that gets logins of Amazon ECR; and for a store in a bucket ([networks.md](networks.md#cloud-registries))',
        otherwise: 'the role of the task or pod, on Node',
      },
      {
        variables: ['AWS_ENDPOINT_URL_ECR'],
        meaning: 'for `ecr`: another address of the ECR API',
        otherwise: 'the endpoint of the region',
      },
      {
        variables: ['REGSHIFT_GOOGLE_KEY'],
        meaning: 'for `gcp`: the JSON key of a service account, or a path to it',
        otherwise: 'the service account of the machine or pod, on Node',
      },
      {
        variables: ['AZURE_TENANT_ID', 'AZURE_CLIENT_ID', 'AZURE_CLIENT_SECRET'],
        meaning: 'for `acr`: a service principal that may pull',
        otherwise: 'none',
      },
      {
        variables: ['AZURE_AUTHORITY_HOST'],
        meaning: 'for `acr`: another address of Microsoft Entra ID',
        otherwise: "the authority of the registry's cloud",
      },
    ],
  },
  {
    title: 'Login of clients',
    about: 'Who may use the proxy, if it has an account of its own at the registry.',
    rows: [
      {
        variables: ['REGSHIFT_CLIENT_AUTH'],
        meaning:
          'how clients log in to the proxy: `basic`, `jwt`, or `none` for no login; `basic` and `jwt` need another `REGSHIFT_UPSTREAM_AUTH` than `passthrough`',
        otherwise:
          '`none` if `REGSHIFT_UPSTREAM_AUTH` is `passthrough` or `anonymous`; required if the proxy uses its own account, and regshift does not start without it',
      },
      {
        variables: ['REGSHIFT_HTPASSWD'],
        meaning: 'for `basic`: the users, or a path to a file (`htpasswd -B`)',
        otherwise: 'none',
      },
      {
        variables: ['REGSHIFT_JWKS_URL', 'REGSHIFT_JWKS', 'REGSHIFT_JWT_ISSUER', 'REGSHIFT_JWT_AUDIENCE'],
        meaning:
          'for `jwt`: the keys, issuer and audience of accepted tokens; clients send the token as their password',
        otherwise: 'none',
      },
      {
        variables: ['REGSHIFT_TOKEN_RELAY'],
        meaning:
          "`always`: clients get tokens from this proxy's `/token`, which requests them from the registry's token server; `never`: clients use the token server directly",
      },
    ],
  },
  {
    title: 'Forms',
    about:
      'The form of an image that a client gets. Without these settings, it gets the one that it can read.',
    rows: [
      {
        variables: ['REGSHIFT_FORMAT'],
        meaning:
          '`auto`, or one form for every client. Charts, signatures and other artifacts have no other form: clients that read them get them as they are',
      },
      {
        variables: ['REGSHIFT_PLATFORM'],
        meaning: 'the platform of clients that cannot select one and do not name theirs',
        otherwise: '`linux/amd64`',
      },
      {
        variables: ['REGSHIFT_LISTS'],
        meaning:
          '`full`: an index is converted with all its images; `one`: the client gets the image of its platform; `auto`: `one` if the registry counts pulls, else `full`',
      },
      {
        variables: ['REGSHIFT_INDEX'],
        meaning:
          '`one`: every client gets the image of one platform for the tag of an index, also a client that reads indexes; this wins over `REGSHIFT_LISTS`; `keep`: as the client reads it ([clients.md](clients.md))',
      },
      {
        variables: ['REGSHIFT_ATTESTATIONS'],
        meaning:
          "`drop`: the index of a tag goes out without BuildKit's attestations; `keep`: with them, where the client reads the stored index",
      },
      {
        variables: ['REGSHIFT_LAYERS'],
        meaning:
          '`plain`: by tag, no client gets zstd layers, whatever it decompresses; `auto`: a client that decompresses zstd gets them',
      },
      {
        variables: ['REGSHIFT_CLIENTS'],
        meaning:
          'a rule about clients that cannot read what they ask for, as JSON, or a list of such; `clients` in the file ([clients.md](clients.md))',
        otherwise: '–',
      },
      {
        variables: ['REGSHIFT_CONVERT_BY_DIGEST'],
        meaning: '`always` also converts manifests requested by digest: for tools that do not verify digests',
      },
      {
        variables: ['REGSHIFT_UNSIGNED_SCHEMA1'],
        meaning: '`accept` or `refuse` schema 1 that the registry stores without a signature',
      },
    ],
  },
  {
    title: 'Repositories',
    about: 'The repositories that regshift serves, and their names.',
    rows: [
      {
        variables: ['REGSHIFT_REPOSITORIES'],
        meaning: 'the repositories that regshift serves, like `library/*, team/**`',
        otherwise: 'all',
      },
      {
        variables: ['REGSHIFT_ALIASES'],
        meaning:
          'short names for long ones, like `team/app=group/sub/app`: Docker up to 1.7 allows two parts at most',
        otherwise: 'none',
      },
      {
        variables: ['REGSHIFT_V1_TAGS'],
        meaning: 'how many tags of a repository clients of registry API v1 see: `latest` and the newest',
        otherwise: '`100`; `8` if the registry counts pulls',
      },
      {
        variables: ['REGSHIFT_BLOBS'],
        meaning:
          "`stream` layers through the proxy, or `redirect` clients to the registry's storage; Docker up to 1.7 and API v1 always get a stream, which regshift verifies",
      },
      {
        variables: ['REGSHIFT_CORS'],
        meaning:
          "`registry`: the registry's `Access-Control-*` headers and its responses to preflights pass through to web pages (registry UIs); `never`: they do not; `auto`: `registry` with `REGSHIFT_UPSTREAM_AUTH=passthrough`, else `never`",
      },
    ],
  },
  {
    title: 'Pushes',
    about: 'Whether clients may push, and the form in which a push is stored.',
    rows: [
      {
        variables: ['REGSHIFT_PUSH'],
        meaning:
          '`allow`: pushes and deletions pass through, if the registry accepts them; if a pushed manifest names content that regshift made, regshift first uploads that content with the same login; `refuse`: the proxy is read-only',
        otherwise: '`allow` with `REGSHIFT_UPSTREAM_AUTH=passthrough`, else `refuse`',
      },
      {
        variables: ['REGSHIFT_PUSH_FORMAT'],
        meaning:
          'the form in which a pushed manifest is stored: `auto`: as it is pushed, and converted where the registry refuses its form; `asis`: always as it is pushed; `schema2`, `oci`: always this one ([pushes.md](pushes.md))',
      },
      {
        variables: ['REGSHIFT_PUSH_LOSSES'],
        meaning:
          '`allow`: where the stored form cannot hold attestations or annotations, they are left out and named in `Regshift-Conversion`; `refuse`: such a push is refused',
      },
    ],
  },
  {
    title: 'Caches and limits',
    about: 'The time for which regshift remembers, and the work that it does for one request.',
    rows: [
      {
        variables: ['REGSHIFT_TAG_TTL'],
        meaning:
          "seconds for which regshift reuses a tag's digest, and the right to it, before it asks the registry again",
      },
      {
        variables: ['REGSHIFT_STALE'],
        meaning: 'seconds for which a public image is served while the registry fails',
      },
      {
        variables: ['REGSHIFT_CACHE_BYTES'],
        meaning:
          'memory for all that is remembered: manifests, conversions, whole responses, proofs of access, tokens',
        otherwise: '`67108864`; `33554432` on Workers',
      },
      {
        variables: ['REGSHIFT_MAX_REQUESTS'],
        meaning:
          'maximum number of requests and streams at once; beyond that, clients get 503 with `Retry-After`',
        otherwise: '`5000`; none on Workers',
      },
      {
        variables: ['REGSHIFT_SUBREQUESTS'],
        meaning:
          'maximum number of upstream and cache requests per client request; beyond that the request fails; set `48` on the free plan of Workers, which allows 50',
        otherwise: 'none; `1000` on Workers',
      },
      {
        variables: ['REGSHIFT_MEASURE_DEADLINE'],
        meaning:
          'seconds that a client waits for layers that regshift must read first (zstd for old clients, schema 1 for new ones); after that, the response says when to retry',
      },
      {
        variables: ['REGSHIFT_LAYER_BYTES'],
        meaning: 'the largest decompressed layer that regshift reads or decompresses',
        otherwise: 'none; 268435456 on Workers',
      },
      {
        variables: ['REGSHIFT_WALK_TAGS', 'REGSHIFT_WALK_GETS'],
        meaning: 'limits of the search for an unknown digest: tags to resolve, images to fetch',
        otherwise: '`500`, `8`',
      },
    ],
  },
  {
    title: 'Store for layers',
    about: 'A folder or a bucket for decompressed layers, so that each is decompressed once.',
    rows: [
      {
        variables: ['REGSHIFT_STORE'],
        meaning:
          'a store for layers that regshift decompresses: `file:///var/lib/regshift`, a folder, on Node; `s3://bucket/prefix?region=…`, a bucket; on Workers also R2, by the binding `LAYERS` ([store.md](store.md))',
        otherwise: 'none',
      },
      {
        variables: ['REGSHIFT_STORE_BYTES'],
        meaning: 'the bytes that a folder may have; the layers used longest ago go first',
      },
      {
        variables: ['REGSHIFT_STORE_BLOBS'],
        meaning:
          "`made`: the store has layers that regshift decompressed; `all`: also the registry's blobs that clients get",
      },
    ],
  },
  {
    title: 'Replicas',
    about: 'The key and the cache that several processes share.',
    rows: [
      {
        variables: ['REGSHIFT_SIGNING_KEY'],
        meaning: 'P-256 private key for schema 1: JWK, PEM, or a path to one (`npx regshift keygen`)',
        otherwise: 'made at start',
      },
      {
        variables: ['REGSHIFT_REDIS_URL'],
        meaning:
          'a Redis or Valkey that several replicas share, like `rediss://user:password@host:6379`, `redis-sentinel://…` or `redis-cluster://…`, or a path to a file that holds this; Node only ([fleet.md](fleet.md))',
        otherwise: 'none',
      },
    ],
  },
  {
    title: 'Notifications',
    about: 'Images are converted before their first pull when the registry says that they are new.',
    rows: [
      {
        variables: ['REGSHIFT_EVENTS_SECRET'],
        meaning:
          'a secret of 16 or more characters: `POST /events` then takes the notifications of registries, and images are converted before their first pull ([events.md](events.md))',
        otherwise: 'none',
      },
      {
        variables: ['REGSHIFT_WARM'],
        meaning:
          'the clients that images are converted for then, by the names of `regshift inspect`, or `none`',
        otherwise: '`docker-1.9, docker-1.13, docker-20.10`',
      },
    ],
  },
  {
    title: 'Operation',
    about: 'Logs, numbers, the page for browsers, and the end of the process.',
    rows: [
      {
        variables: ['LOG_LEVEL'],
        meaning: '`debug`, `info`, `warn`, `error`',
      },
      {
        variables: ['LOG_FORMAT'],
        meaning: '`json`: one object a line; `text`: for people; `auto`: `text` on a terminal',
      },
      {
        variables: ['REGSHIFT_METRICS_PORT'],
        meaning: 'the port of `/metrics` for Prometheus, on `HOST`; Node only',
        otherwise: 'none',
      },
      {
        variables: ['REGSHIFT_PAGE'],
        meaning:
          'the page for browsers at `/`: `on`, `off`, or `status` to show the state and the numbers of the proxy, too ([operations.md](operations.md#the-page))',
      },
      {
        variables: ['REGSHIFT_SHUTDOWN_GRACE'],
        meaning:
          'seconds after SIGTERM for which regshift still serves everything, while `/readyz` fails; 0 after SIGINT',
      },
      {
        variables: ['REGSHIFT_SHUTDOWN_DEADLINE'],
        meaning: 'seconds after that for responses in progress',
      },
    ],
  },
];
