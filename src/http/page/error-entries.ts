// Written by `npm run page:files`: the program has no other way to this text that works in a clone, in the package and
// in the Worker alike.

/** An entry of docs/errors.md, in its Markdown. */
export interface ErrorEntry {
  /** The messages or codes; `…` stands for text that varies. */
  readonly texts: readonly string[];
  /** The clients that print it. */
  readonly client?: string;
  readonly why: string;
  readonly remedy: string;
}

export const errorEntries: readonly ErrorEntry[] = [
  {
    texts: ['missing signature key'],
    client: "Docker 1.10 – 18.03, CentOS 7's and OpenShift 3's 1.13",
    why: 'the image is stored as OCI, and this Docker reads it as schema 1. Schema 2 sent as `application/json` causes the same error',
    remedy:
      'solved: the client gets schema 2. If the error stays, the pull does not reach regshift, or a proxy rewrites `Accept`, `User-Agent` or `Content-Type`',
  },
  {
    texts: ["mediaType in manifest should be '…' not '…'"],
    client: 'Docker 19.03.0 – 19.03.4',
    why: 'the client requests OCI, but reads it as schema 2',
    remedy: 'solved: the client gets schema 2',
  },
  {
    texts: ['Error: image R:T not found'],
    client: 'Docker 1.6 – 1.9',
    why: "any failure: after 401, 404, 500 or 503 these versions try registry API v1, and print the error of that. The engine's own log has the first error",
    remedy:
      "solved if the form was the cause. Otherwise check regshift's log for the first request of the pull",
  },
  {
    texts: ['unsupported schema version 2'],
    client: "Docker 1.6 – 1.9, in the engine's log",
    why: 'the client reads only schema 1',
    remedy: 'solved: the client gets signed schema 1',
  },
  {
    texts: ['image R not found', 'Tag T not found in repository R'],
    client: 'Docker up to 1.7, API v1',
    why: 'the repository does not exist; or the tag is not among the newest `REGSHIFT_V1_TAGS`; or regshift cannot convert that image (the log says `tag left out of API v1`, and why)',
    remedy: 'raise `REGSHIFT_V1_TAGS`, or tag the image again',
  },
  {
    texts: ['archive/tar: invalid tar header'],
    client: 'Docker before 23',
    why: 'the layer is compressed with zstd',
    remedy: 'solved: the manifest names the decompressed layer',
  },
  {
    texts: ['ApplyLayer exit status 1 stdout: stderr: unexpected EOF'],
    client: 'Docker before 23 (seen with 20.10)',
    why: 'the same, with a layer that is, compressed, shorter than the header of a tar',
    remedy: 'solved, as above',
  },
  {
    texts: ['unsupported docker v2s2 media type: …'],
    client: 'podman, skopeo, Buildah, CRI-O with containers/image before 5.38',
    why: "a schema 2 manifest has layers of Docker's own zstd type, or OCI types",
    remedy:
      "solved by tag: the client gets the same blobs in an OCI manifest, or schema 2 with Docker's types. By digest the stored bytes go out",
  },
  {
    texts: ['no processor for media-type'],
    client: "containerd 1.5 – 2.1, Docker 26 – 28 with containerd's store, BuildKit before 0.12",
    why: "a layer has Docker's own zstd type",
    remedy: 'solved by tag, as above',
  },
  {
    texts: [
      'unsupported manifest format',
      'Unexpectedly received a manifest list instead of a manifest for a single image',
    ],
    client: "Docker without containerd's store; podman, skopeo, Buildah, CRI-O",
    why: 'an index inside an index',
    remedy: 'solved by tag: the client gets one index with all entries',
  },
  {
    texts: ['failed to extract layer …: archive/tar: invalid tar header'],
    client: 'BuildKit in Docker 20.10',
    why: "the base image has zstd layers. This BuildKit calls itself `containerd/1.6.20+unknown`, as Docker 23 and 24 with containerd's store do, which read zstd",
    remedy:
      'solved by tag: all of them get decompressed layers. `FROM image@sha256:…` gets the stored bytes: name the digest of the converted image, which `regshift explain --for buildkit-0.8` prints',
  },
  {
    texts: ['no supported platform found in manifest list'],
    client: 'Docker 1.8, 1.9',
    why: 'the client gets an index, and finds no image for itself in it',
    remedy: 'regshift selects an image for it. If none fits, the error lists the platforms of the index',
  },
  {
    texts: ['no matching manifest for linux/amd64 in the manifest list entries'],
    client: 'Docker 1.10 and later',
    why: 'the image was not built for this platform; or the pull names a platform (`--platform`), the layers are compressed with zstd, and regshift has not read those of that platform yet',
    remedy:
      'a conversion cannot help: build the image for the platform. With `--platform`, pull again after a minute',
  },
  {
    texts: ['target is unknown'],
    client: 'Docker 1.13, 17.05',
    why: "the config has OCI's media type",
    remedy: 'solved: schema 2 names its own media type',
  },
  {
    texts: ['OCI manifest found, but accept header does not support OCI manifests'],
    client: 'any, from docker-registry and [Docker Hub](https://github.com/docker/hub-feedback/issues/2410)',
    why: 'an old client contacted that registry directly',
    remedy: 'pull through regshift: the text means that the pull did not go through it',
  },
  {
    texts: [
      '[DEPRECATION NOTICE] Docker Image Format v1 and Docker Image manifest version 2, schema 1 support is disabled by default …',
    ],
    client: 'Docker 26 – 28.1 ([moby#47459](https://github.com/moby/moby/pull/47459))',
    why: 'the image is stored as schema 1',
    remedy: 'solved: the client gets schema 2, after regshift has read the layers',
  },
  {
    texts: ['Pulling Schema 1 images have been deprecated and disabled by default since containerd v2.0'],
    client: 'containerd 2.0',
    why: 'the same',
    remedy: 'solved, as above',
  },
  {
    texts: [
      "method gz: ReadError('not a gzip file')",
      'manifest list: duplicate architecture: …',
      'blob is not correct mediatype: application/vnd.oci.image.layer.v1.tar+zstd',
      'diffID digest mismatch',
      'NoClassDefFoundError: com/github/luben/zstd/…',
    ],
    client: 'Charliecloud; umoci up to 0.4.7, Singularity 3; Cloud Foundry; jib',
    why: 'the layers are compressed with zstd, and `Accept` does not say that the program cannot decompress them',
    remedy: 'a rule about the client: [recipes](clients.md#recipes)',
  },
  {
    texts: ['URL https://…/manifests/… returned error code: 404 Not Found'],
    client: 'enroot up to 3.4.0',
    why: 'the image is stored as OCI, which this version does not name',
    remedy: 'solved: the client gets a list and schema 2',
  },
  {
    texts: ['The image manifest, config or layer media type for the source image … is not supported.'],
    client: 'AWS Lambda',
    why: 'the image in ECR is an index',
    remedy:
      'copy one image of it by `regshift copy` ([copies.md](copies.md#aws-lambda)), or through regshift: [recipes](clients.md#aws-lambda)',
  },
  {
    texts: ['The client sent plain HTTP to a port that speaks TLS. Use https:// here.'],
    client: 'curl and other clients that print the body of a response',
    why: 'the address begins with `http://`, and `REGSHIFT_TLS_CERT` is set',
    remedy: 'use `https://`',
  },
  {
    texts: ['wrong version number', 'first record does not look like a TLS handshake'],
    client: 'OpenSSL (curl, Python, Node); Go',
    why: 'the address begins with `https://`, but the port speaks plain HTTP. The response is `400` with `The client sent a TLS hello to a port that speaks plain HTTP. Use http:// here.`',
    remedy: 'use `http://`, or set `REGSHIFT_TLS_CERT` and `REGSHIFT_TLS_KEY`',
  },
  {
    texts: ['http: server gave HTTP response to HTTPS client'],
    client: 'Docker 1.12 and later, containerd',
    why: 'regshift speaks plain HTTP, but the client requires TLS',
    remedy: 'add regshift to `insecure-registries`, or put TLS in front of it ([guides](../deploy/clients/))',
  },
  {
    texts: ['x509: certificate signed by unknown authority'],
    client: 'all',
    why: 'the machine does not know the authority that signed the certificate of regshift, or of the server in front of it',
    remedy:
      "put the authority's certificate into `/etc/docker/certs.d/<host:port>/ca.crt`; containerd: `ca =` in `hosts.toml`",
  },
  {
    texts: ["pull access denied for R, repository does not exist or may require 'docker login'"],
    client: 'Docker 17 and later',
    why: 'the registry answered 401 or 403',
    remedy:
      'run `docker login <proxy>` with an account of the registry. If the proxy uses its own account (`REGSHIFT_UPSTREAM_AUTH`), check the rights of that account',
  },
  {
    texts: ['toomanyrequests: …'],
    client: 'all',
    why: 'the registry, or its token server, limits pulls',
    remedy:
      'log in. Set `REGSHIFT_LISTS=one`, so that regshift fetches one image instead of all images of an index. Meanwhile regshift serves public images for `REGSHIFT_STALE` seconds',
  },
  {
    texts: ['received unexpected HTTP status: 502 Bad Gateway'],
    client: 'Docker 1.10 – 17.05',
    why: 'regshift could not get the content from the registry; these versions hide the message',
    remedy: 'read the message with `curl` on the same path, or in the log',
  },
  {
    texts: ['manifest for R not found: manifest unknown: …'],
    client: 'Docker 17 and later',
    why: 'the tag does not exist, or no tag leads to this digest any more',
    remedy: 'the rest of the line says which',
  },
  {
    texts: ['manifest blob unknown: blob unknown to registry'],
    client: 'Docker, skopeo, podman, during a push',
    why: 'the manifest names a layer or config that the registry lacks: a proxy said that it exists, so the client did not upload it',
    remedy:
      'solved: regshift uploads the content that it made. If the error stays, the client may not read the source image, or no tag names that image any more: push under another repository name',
  },
  {
    texts: ['manifest invalid'],
    client: 'Docker 29, buildx, podman, skopeo, during a push',
    why: "the registry does not know the type of the manifest: OCI at a registry that has Docker's types alone, or schema 1 at one of today",
    remedy:
      'solved: regshift stores another form ([pushes.md](pushes.md)). If the error stays, `REGSHIFT_PUSH_FORMAT` is `asis`, or the manifest is an artifact, which has no other form',
  },
  {
    texts: ['got digest …, expected …'],
    client: "containerd, Docker with containerd's store, BuildKit, during a push",
    why: 'a proxy stored another manifest and named its digest',
    remedy: 'solved: the response names the pushed digest',
  },
  {
    texts: ['Error: Status 405 trying to push repository …'],
    client: 'Docker up to 1.4',
    why: 'it pushes by registry API v1',
    remedy: 'push with Docker 1.6 or later',
  },
  {
    texts: ['Server error: 400 trying head request for … - tarsum.v1+sha256:…'],
    client: 'Docker 1.5',
    why: 'it pushes digests that no registry of today knows',
    remedy: 'push with Docker 1.6 or later',
  },
  {
    texts: ['unsupported: …'],
    client: 'Docker 1.8 – 20.10, podman, skopeo',
    why: 'the image exists, but not in a form for this client',
    remedy: 'the rest of the line is a message of regshift: see below',
  },
  {
    texts: ['NAME_INVALID'],
    why: 'the name is not a valid repository name',
    remedy: 'correct it. A repository whose name Docker up to 1.7 refuses needs a name in `REGSHIFT_ALIASES`',
  },
  { texts: ['REFERENCE_INVALID'], why: 'the reference is neither a tag nor a digest', remedy: 'correct it' },
  {
    texts: ['NAME_UNKNOWN'],
    why: 'the repository does not exist, or regshift does not serve it',
    remedy: 'check the name, and `REGSHIFT_REPOSITORIES`',
  },
  {
    texts: ['MANIFEST_UNKNOWN'],
    why: 'the tag or digest does not exist',
    remedy:
      'check it. A converted digest needs a tag that still names the image, and values of `REGSHIFT_WALK_TAGS` and `REGSHIFT_WALK_GETS` that are large enough for the search',
  },
  {
    texts: ['BLOB_UNKNOWN'],
    why: 'the layer or config does not exist',
    remedy: 'pull the image again. If the error stays, the registry has lost it',
  },
  { texts: ['UPLOAD_UNKNOWN'], why: 'the upload was not started through this proxy', remedy: 'push again' },
  { texts: ['ENDPOINT_UNKNOWN'], why: 'regshift has no such path', remedy: 'check the address' },
  {
    texts: ['MANIFEST_INVALID'],
    why: 'a pushed manifest did not arrive completely, or the registry takes it in no form that regshift can make',
    remedy: 'the message has the reason',
  },
  {
    texts: ['MANIFEST_TOO_LARGE'],
    why: 'a pushed manifest has more than 4 MiB',
    remedy: 'push an image with fewer layers or annotations',
  },
  {
    texts: ['UNSUPPORTED'],
    why: 'the image exists, but not in a form for this client (or not yet)',
    remedy: 'the message has the reason',
  },
  {
    texts: ['UNSIGNED'],
    why: 'the image is stored as schema 1 without a signature, and `REGSHIFT_UNSIGNED_SCHEMA1` is `refuse`',
    remedy: 'push it again with a newer client',
  },
  {
    texts: ['METHOD_NOT_ALLOWED'],
    why: 'a push or a deletion through a read-only proxy, or of content that regshift makes',
    remedy: 'push to the registry itself, or set `REGSHIFT_PUSH=allow`',
  },
  {
    texts: ['EVENT_INVALID'],
    why: 'a notification that regshift cannot read',
    remedy: "check the registry's settings ([events.md](events.md))",
  },
  {
    texts: ['EVENT_TOO_LARGE'],
    why: 'a notification of more than 2 MiB',
    remedy: 'nothing: the image is made at its first pull',
  },
  {
    texts: ['UNAUTHORIZED'],
    why: 'the request needs a login, or the login was refused',
    remedy: '`docker login` at the proxy',
  },
  {
    texts: ['DENIED'],
    why: 'the login has no right to read the image',
    remedy: "ask for the right, or give it to the proxy's account",
  },
  {
    texts: ['RATE_LIMITED'],
    why: 'the registry limits requests',
    remedy: 'wait for the time in `Retry-After`; log in',
  },
  {
    texts: ['UPSTREAM_CONTENT'],
    why: 'the content in the registry is broken',
    remedy: 'push the image again',
  },
  {
    texts: ['UPSTREAM_ANSWER'],
    why: 'the registry, or a server in front of it, sent an invalid response',
    remedy: 'report it to the operator of the host that the message names',
  },
  {
    texts: ['UPSTREAM_UNREACHABLE'],
    why: 'regshift cannot connect to the registry',
    remedy: 'check name, port, TLS and firewall from the machine of regshift',
  },
  { texts: ['UPSTREAM_TIMEOUT'], why: 'the registry is too slow', remedy: 'check it, and pull again' },
  {
    texts: ['OVERLOADED'],
    why: 'too much work at once: requests, searches for unknown digests, logins to check, or downloads that use all the memory for decompression',
    remedy:
      'retry after `Retry-After`; the message says which limit. For requests raise `REGSHIFT_MAX_REQUESTS`; for searches share a cache between the replicas; or run another replica',
  },
  {
    texts: ['MISCONFIGURED'],
    why: 'a setting is missing or wrong, or a credential helper has no login for the registry',
    remedy:
      'the message names the cause. For a helper, run `docker-credential-<name> get` yourself: regshift does not show the output of the helper',
  },
  { texts: ['INTERNAL'], why: 'a fault of regshift', remedy: 'the log has the stack: please report it' },
  {
    texts: [
      '… is …, which this client (…) does not read. Pull … instead, or pull by tag: it is the same image as …',
    ],
    why: 'a digest names bytes, and the client cannot read the form of these bytes',
    remedy:
      'pull by tag, or pin the digest that the message names. `REGSHIFT_CONVERT_BY_DIGEST=always` is for tools that do not verify digests: Docker and containerd would refuse the bytes',
  },
  {
    texts: ['The image is stored as …, and this client (…) reads no form that it can be converted to.'],
    why: '`Accept` names no usable type, usually because a proxy has removed lines from it',
    remedy: 'let the proxy pass on the whole `Accept`',
  },
  {
    texts: ['There is no image for … under this name'],
    why: "the index has no image for the client's platform; the message lists its platforms",
    remedy: 'build the image; `REGSHIFT_PLATFORM` sets the platform of clients that do not name theirs',
  },
  {
    texts: [
      'regshift reads the layers of this image once before it can be given, and is preparing layer … of … Pull again in about … s.',
    ],
    why: 'zstd layers for an old client, or schema 1 for a new one: regshift must read each layer once, and that took longer than `REGSHIFT_MEASURE_DEADLINE`',
    remedy:
      'pull again: regshift continues to read meanwhile. `regshift warm` reads the layers before the first pull',
  },
  {
    texts: ['Cannot decompress … now: other downloads use all the memory for it. Try again in … seconds.'],
    why: 'the client requests a zstd layer as a plain tar, and the request waited 30 seconds for memory',
    remedy:
      'pull again. Or run another replica, or compress layers without `--long` and `--ultra`: they then take 8 MiB or less each',
  },
  {
    texts: [
      'unpacks to more than … bytes, the most that is unpacked here (REGSHIFT_LAYER_BYTES).',
      'A Worker has too little processor time for it: put regshift on Node in front of this image.',
    ],
    why: 'the layer is larger than the limit (256 MiB on Workers)',
    remedy: 'raise `REGSHIFT_LAYER_BYTES`, or use regshift on Node, which has no limit',
  },
  {
    texts: [
      'This takes more than … requests to the registry and to caches, the most that one request may cause here (REGSHIFT_SUBREQUESTS).',
    ],
    why: 'the request converts an index with many images',
    remedy: '`REGSHIFT_LISTS=one`',
  },
  {
    texts: ['The image has more layers than clients of schema 1 can run; rebuild it with fewer layers'],
    why: 'Docker up to 1.9 cannot start images with more than 124 layers',
    remedy: 'build the image with fewer layers',
  },
  {
    texts: ['The image has an encrypted layer, which this form cannot carry'],
    why: 'only OCI has a media type for encrypted layers',
    remedy: 'use a client that reads OCI',
  },
  {
    texts: ['The image has a layer of a type that this form does not have'],
    why: 'schema 1 cannot hold foreign layers (Windows)',
    remedy: 'use a client that reads schema 2',
  },
  {
    texts: ['This is not a container image that can be given in another form'],
    why: 'the content is a chart, a signature, or an attestation',
    remedy: 'use its own tool: a client that names its type gets it unchanged',
  },
  {
    texts: ['The config is not that of a container image'],
    why: 'the same, by its config',
    remedy: 'the same',
  },
  {
    texts: ['The target of the generic manifest is no container image'],
    why: 'the same, for a generic manifest',
    remedy: 'the same',
  },
  {
    texts: ['No image of the index can be given in this form'],
    why: 'regshift left out every entry; the message has the reason for each',
    remedy: 'see the reasons',
  },
  {
    texts: ['The form holds the image of one platform: choose one of the index first'],
    why: 'schema 1 cannot hold an index',
    remedy: 'set `REGSHIFT_PLATFORM`',
  },
  {
    texts: [
      '… is stored as schema 1 without a signature, and this proxy is set to refuse such images (REGSHIFT_UNSIGNED_SCHEMA1). Push the image again with a newer client.',
    ],
    why: '`REGSHIFT_UNSIGNED_SCHEMA1` is `refuse`',
    remedy: 'push the image again, or set `accept`',
  },
  {
    texts: ['The index is too large or too deep to be followed'],
    why: 'the index has more than 8 levels or 1,000 manifests',
    remedy: 'make a smaller index; no client could use this one',
  },
  {
    texts: ['The manifest names too many things'],
    why: 'the manifest has more than 1,000 layers or entries',
    remedy: 'the same',
  },
  {
    texts: ['The … is too large to be read'],
    why: 'a manifest or config has more than 4 MiB, which registries refuse too; or it would have more after a conversion',
    remedy: 'the same',
  },
  {
    texts: ['The … has too many values'],
    why: 'a manifest or config has more than 20,000 values, such as annotations or entries of the history',
    remedy: 'the same',
  },
  {
    texts: ['The … has too many escapes'],
    why: 'the strings of a manifest or config have more than 400,000 escapes, such as `\\n` and `\\"`',
    remedy: 'the same',
  },
  {
    texts: ['The … is nested too deeply'],
    why: 'a manifest or config has more than 500 levels of objects and lists',
    remedy: 'the same',
  },
  {
    texts: ['The … has too many bytes that are not UTF-8'],
    why: 'a manifest or config has another encoding than UTF-8',
    remedy: 'build the image again, with text in UTF-8',
  },
  {
    texts: ['The … would have to be read first.'],
    why: 'the client requests a digest that another process made, this process does not know the layers of the image, and the registry counts pulls',
    remedy: 'pull by tag once',
  },
  {
    texts: ['A layer could not be read'],
    why: 'regshift could not read the layers of a schema 1 image',
    remedy: 'the log names the layer',
  },
  {
    texts: ['This Docker cannot pull by registry API v2.'],
    why: 'Docker up to 1.5 reads schema 1 by API v2, fails on its layers, and then uses API v1. regshift refuses API v2 at once',
    remedy: 'nothing: the pull continues by API v1',
  },
  {
    texts: ['This proxy is set to read only (REGSHIFT_PUSH): nothing can be pushed or deleted through it.'],
    why: 'a push or a deletion, but the proxy uses its own account or is set to read only',
    remedy:
      'push to the registry itself, or set `REGSHIFT_PUSH=allow`: all users of the proxy can then write with its account',
  },
  {
    texts: ['The registry does not have …: regshift makes it from … of … when it is pulled.'],
    why: 'a deletion of converted content; or the registry refuses a pushed manifest because of content that regshift can no longer make',
    remedy: 'use the digest that the message names, or push all parts of the image under another name',
  },
  {
    texts: ['The pushed manifest has …, where … bytes are the most that registries take.'],
    why: 'the manifest is larger than the limit of registries',
    remedy: 'push an image with fewer layers or annotations',
  },
  {
    texts: ['The pushed manifest broke off before its end. Push again.'],
    why: "the client's connection ended",
    remedy: 'push again; check the proxies between client and regshift',
  },
  {
    texts: ['The registry does not take …, and regshift cannot convert this one to …:'],
    why: 'the registry refuses the form of a pushed manifest, and the other form cannot hold it',
    remedy: 'the rest of the message is the reason: encrypted layers, or a signature that does not hold',
  },
  {
    texts: [
      'The registry does not take schema 1, and regshift converts a pushed schema 1 manifest only with a signature.',
    ],
    why: 'the pushed schema 1 has no signature',
    remedy: 'push with a client that signs: Docker 1.6 to 1.9, skopeo; or in another form',
  },
  {
    texts: ['The registry does not have all manifests that the pushed index names (…).'],
    why: 'the images of an index come before it',
    remedy: 'push them first',
  },
  {
    texts: [
      'The registry takes the pushed manifest only as …, which would lose …, and this proxy is set to refuse that (REGSHIFT_PUSH_LOSSES).',
    ],
    why: 'annotations or attestations have no place in the form that the registry takes',
    remedy: 'push without them, or set `allow`',
  },
  {
    texts: [
      'The registry does not take …, the artifact … has no other form, and this proxy is set to leave nothing out (REGSHIFT_PUSH_LOSSES).',
    ],
    why: "an attestation at a registry of Docker's types",
    remedy: '`docker buildx build --provenance=false --sbom=false`, or set `allow`',
  },
  {
    texts: ['Nothing can be pushed by registry API v1, which this Docker pushes by:'],
    why: 'Docker up to 1.4',
    remedy: 'push with Docker 1.6 or later',
  },
  {
    texts: [
      'regshift still reads the layers of the pushed image, which the registry takes in another form only. Push again in about … s:',
    ],
    why: 'large layers, for a push of schema 1 or zstd',
    remedy: 'push again; raise `REGSHIFT_MEASURE_DEADLINE`',
  },
  {
    texts: ['upload of … to …'],
    why: 'a pushed manifest names a blob that regshift makes and the registry lacks, or regshift stores the manifest in another form. regshift uploads it with your login, and the registry refuses the upload',
    remedy: "code and message of the registry follow: check the right to push, and the registry's limits",
  },
  {
    texts: ['This upload was not begun here, or too long ago. Push again.'],
    why: 'the upload is more than a day old, or began with another signing key',
    remedy: 'push again; give all replicas the same `REGSHIFT_SIGNING_KEY`',
  },
  {
    texts: ['is no upload that was begun here.'],
    why: 'the path is not one that regshift made',
    remedy: 'push again',
  },
  {
    texts: ['The repository … is not served here.'],
    why: '`REGSHIFT_REPOSITORIES` does not include it',
    remedy: 'add it to `REGSHIFT_REPOSITORIES`, or use another repository',
  },
  {
    texts: ['No route of this proxy leads to the repository … from here.'],
    why: 'the proxy has several routes, and none is for this name',
    remedy: 'check the name',
  },
  {
    texts: ['No route of this proxy is for what asks for …'],
    why: 'the same, for the address of the request',
    remedy: 'check the address',
  },
  {
    texts: ['There is nothing at … here.'],
    why: 'the path is not part of the registry API',
    remedy: 'check the address: it must be that of a registry, without a folder',
  },
  { texts: ['There is nothing at … in registry API v1.'], why: 'the same', remedy: 'the same' },
  {
    texts: ['is not a repository name: parts of lower-case letters and digits'],
    why: 'names have only lower-case letters, digits and separators',
    remedy: 'correct the name',
  },
  { texts: ['is neither a tag nor a digest.'], why: 'the reference is invalid', remedy: 'correct it' },
  { texts: ['is not a tag.'], why: 'the tag is invalid', remedy: 'correct it' },
  {
    texts: ['is not a digest: sha256: and 64 lower-case hex digits.'],
    why: 'the digest is invalid',
    remedy: 'correct it',
  },
  {
    texts: ['… is a manifest of …, and no blob.'],
    why: 'the client requests the digest of a manifest as a layer',
    remedy: 'request it below `/manifests/`',
  },
  {
    texts: [
      'regshift is still searching for other digests, and the search in … had no turn within … s. Try again in … s.',
    ],
    why: 'the process does not know the digest and must search the tags of its repository. A repository has one search at a time, the process has four',
    remedy: 'try again; let the replicas share a cache, so that they search less',
  },
  {
    texts: ['regshift has too many searches in line to look for this digest in … now. Try again in … s.'],
    why: "256 searches wait for their turn, or 64 of this client's address",
    remedy: 'the same',
  },
  {
    texts: ['The search in … made no progress for … s, and another search took its turn. Try again in … s.'],
    why: 'the registry does not respond in time',
    remedy: 'check the registry, and try again',
  },
  {
    texts: [
      'The search in … did not end within … s. regshift keeps the images that it read. Try again in … s.',
    ],
    why: 'the registry is slow, or the layers that the search reads are large',
    remedy: 'try again: the next search gets further',
  },
  {
    texts: [
      'Too many digests or ids that … does not have were asked for within … s, so regshift does not search for this one now. Try again in … s.',
    ],
    why: 'three searches of this login, or twelve of its address, found nothing in this repository within 30 s',
    remedy: 'check the digest; try again',
  },
  {
    texts: ['The config … can no longer be made. Pull the image again.'],
    why: 'regshift made the config for an image that no longer exists',
    remedy: 'pull again',
  },
  {
    texts: ['Give the target a tag in place of a digest, which follows from the content: …'],
    why: 'the target of `regshift copy` is `host/name@sha256:…`',
    remedy: 'name a tag',
  },
  {
    texts: ['Use either --platform for one image of an index, or --all for the whole index.'],
    why: 'both are set',
    remedy: 'leave one out',
  },
  {
    texts: ['Schema 1 holds the image of one platform: choose one of the index first'],
    why: '`--as schema1` with `--all`',
    remedy: 'leave out `--all`, and use `--platform`',
  },
  {
    texts: ['… should be …; found …'],
    why: 'the source sent a blob with another digest, and the upload was cancelled',
    remedy: 'copy again; if the error stays, the source has lost the blob: push the image again',
  },
  {
    texts: ['Upstream answered … upload of … to …'],
    why: '`regshift copy`: the target refuses a blob; its code and message follow. 404 at ECR: the repository does not exist',
    remedy: "check the right to push, the repository, and the registry's limits",
  },
  {
    texts: ['The archive is not for a terminal. Name a file: -o image.tar'],
    why: '`regshift save` without `-o`, or with `-o -`',
    remedy: 'name a file, or redirect standard output',
  },
  {
    texts: [
      '--json and --format print the result to standard output. Name a file for the archive: -o image.tar',
    ],
    why: 'both would go to standard output',
    remedy: 'name a file',
  },
  {
    texts: ['The layer … is not what the config says it is, unpacked'],
    why: 'a layer has another diff_id than the config states',
    remedy: 'push the image again',
  },
  {
    texts: ['… cannot be given to this Docker.'],
    why: 'regshift cannot convert any of the tags that it checked; the reason for the first one follows',
    remedy: 'see the reason',
  },
  {
    texts: ['No tag of … that was looked at can be given to this Docker.'],
    why: 'the same, for the newest `REGSHIFT_V1_TAGS`',
    remedy: 'raise it',
  },
  {
    texts: [
      'REGSHIFT_SIGNING_KEY is not set, and this needs it here: registry API v1, in which old Dockers pull, and uploads that the registry wants at an address of its own.',
    ],
    why: 'each process must be able to read the tokens of the others',
    remedy: 'set the same key for all processes',
  },
  {
    texts: ['The token is not one that was given out here, or is too old … Pull again.'],
    why: 'the pull began more than a day ago, before a restart without `REGSHIFT_SIGNING_KEY`, or at another proxy with another key',
    remedy: 'pull again; set the key',
  },
  { texts: ['The address was not given out here … Pull again.'], why: 'the same', remedy: 'the same' },
  {
    texts: ['The token is of another repository'],
    why: 'a token is for one repository',
    remedy: 'pull again',
  },
  {
    texts: ['The address names no repository. Ask for /v1/repositories/<name>/images first'],
    why: 'the client ignored `X-Docker-Endpoints`, or a proxy removed it',
    remedy: 'let the proxy pass on response headers',
  },
  {
    texts: ['There is no image … in … that its tags lead to.'],
    why: 'the tag was moved or deleted during the pull',
    remedy: 'pull again',
  },
  {
    texts: ['The repository … has no tags.'],
    why: 'the repository is empty, or all its tags were deleted',
    remedy: 'push an image with a tag',
  },
  {
    texts: ['Upstream takes too long to tell what the tags of … are.'],
    why: 'resolving the tags took longer than 40 seconds',
    remedy: 'lower `REGSHIFT_V1_TAGS`',
  },
  {
    texts: ['Names that this Docker cannot ask for need a short one in REGSHIFT_ALIASES of the proxy.'],
    why: 'these versions allow two parts at most',
    remedy: '`REGSHIFT_ALIASES=team/app=group/sub/app`',
  },
  {
    texts: ['Accounts are not made here. Log in with one of the registry.'],
    why: '`docker login` of these versions first tries to create an account',
    remedy: 'nothing: the login that follows counts',
  },
  {
    texts: ['Log in with a name and a password of the registry.'],
    why: 'the request has no login',
    remedy: '`docker login`',
  },
  {
    texts: ['Log in with a user name and a password of this proxy (docker login).'],
    why: '`REGSHIFT_CLIENT_AUTH=basic`',
    remedy: '`docker login <proxy>`',
  },
  {
    texts: ['The user name or the password is wrong: log in again (docker login).'],
    why: 'the login matches no line of `REGSHIFT_HTPASSWD`',
    remedy:
      'check that line. regshift reads the file again within two seconds of a change; a line of the log at `warn` says if it cannot',
  },
  {
    texts: ['Too many logins wait to be checked here, and this one was not checked.'],
    why: 'regshift compares one password at a time. At most 32 logins of one address wait, 200 in all, and none for longer than 8 s. Either someone tries passwords, or many users log in at once',
    remedy:
      'log in again in a few seconds. Users who have logged in within ten minutes do not wait. If regshift is behind a proxy, name that proxy in `REGSHIFT_TRUSTED_PROXIES`: without it, all clients share one address. A lower cost of the entries (`htpasswd -B -C 10`) makes each comparison shorter',
  },
  {
    texts: ['The password could not be compared: the thread for it ended.'],
    why: 'a fault of regshift, or the system allows no more threads or memory',
    remedy:
      'log in again in a few seconds: another thread starts. The log has the reason in the line `the thread that compares passwords ended`',
  },
  {
    texts: ['Log in with a JWT as the password, under any user name (docker login).'],
    why: '`REGSHIFT_CLIENT_AUTH=jwt`',
    remedy: '`docker login -u jwt --password-stdin <proxy>`',
  },
  {
    texts: ['The JWT has expired … log in with a new JWT.'],
    why: 'the JWT is too old',
    remedy: 'get a new one',
  },
  {
    texts: ['The JWT\'s claim "…" does not fit'],
    why: 'the JWT is for another service, or from another issuer',
    remedy: 'compare it with `REGSHIFT_JWT_AUDIENCE` and `REGSHIFT_JWT_ISSUER`',
  },
  {
    texts: ['The JWT is not signed by a key of this proxy'],
    why: 'another key signed the JWT',
    remedy: 'check `REGSHIFT_JWKS_URL` or `REGSHIFT_JWKS`',
  },
  {
    texts: ['The JWT is not signed by …'],
    why: 'regshift does not support the algorithm of the JWT',
    remedy: 'use RS256, ES256 or EdDSA',
  },
  {
    texts: ['The login is not a JWT that can be read'],
    why: 'the login is a password, or a truncated JWT',
    remedy: 'send the whole JWT',
  },
  {
    texts: ['Logins cannot be checked now: the keys at … (REGSHIFT_JWKS_URL) could not be read.'],
    why: "the issuer's server does not respond",
    remedy: 'check it, or set the keys in `REGSHIFT_JWKS`',
  },
  {
    texts: ['regshift asks upstream … without a login …'],
    why: 'the registry requires a login, and `REGSHIFT_UPSTREAM_AUTH=anonymous` sends none',
    remedy: 'set `passthrough`, or an account of the proxy',
  },
  {
    texts: ['regshift asks upstream … with an account of its own …'],
    why: "the proxy's account may not read this",
    remedy: 'give the account the right to pull',
  },
  {
    texts: ['gives no token without a login: log in'],
    why: 'the repository is private',
    remedy: '`docker login <proxy>`',
  },
  {
    texts: ['refused the login: check user name, password and the right to pull'],
    why: 'the token server refused the login',
    remedy: 'check it. For Docker Hub, use an access token as the password',
  },
  {
    texts: ["refused the proxy's own account: check its user name, password and right to pull"],
    why: "the token server refused the proxy's account",
    remedy: 'check `REGSHIFT_UPSTREAM_USERNAME` and `REGSHIFT_UPSTREAM_PASSWORD`',
  },
  {
    texts: ["refused the proxy's own identity token: log in again, and check the right to pull"],
    why: 'the token in `REGSHIFT_DOCKER_CONFIG` is no longer valid',
    remedy:
      'run `docker login` again; regshift reads the file again. Restart it if the configuration is in a variable',
  },
  {
    texts: ['The login for upstream is not to be had: …'],
    why: 'a credential helper or a cloud gives no login; the message says what was found',
    remedy:
      'do what the message says. [networks.md](networks.md#cloud-registries) has the permissions that each cloud needs',
  },
  {
    texts: ['…, and the clock of this machine is … the clock there'],
    why: 'a cloud refuses a login because the clocks differ by more than five minutes',
    remedy: 'set the clock of the machine right (NTP)',
  },
  {
    texts: ["names a token server elsewhere, and the proxy's login is for the registry alone, refused"],
    why: 'the registry of a cloud sends to a token server at another origin',
    remedy: 'check that `REGSHIFT_UPSTREAM` is the registry itself, and that no proxy changes its responses',
  },
  {
    texts: ['The file that … names cannot be read'],
    why: 'the cloud names a file for the role of the pod, and regshift cannot read it',
    remedy: 'mount it into the container, readable for the user of regshift',
  },
  { texts: ['limits requests. Try again later.'], why: 'the token server limits logins', remedy: 'wait' },
  {
    texts: ['REGSHIFT_UPSTREAM_AUTH is …, and what it needs is not set.'],
    why: "the proxy's account has no name or password",
    remedy: 'set the variables that [settings.md](settings.md#login-at-the-registry) lists for that setting',
  },
  {
    texts: ['REGSHIFT_CLIENT_AUTH is …, and what it needs is not set.'],
    why: "the same, for the proxy's users",
    remedy: 'the same',
  },
  {
    texts: ['This proxy gives out no tokens.'],
    why: '`REGSHIFT_TOKEN_RELAY=never`, or the proxy uses its own account',
    remedy: 'clients need no token here: they log in at the proxy',
  },
  {
    texts: ['Upstream names no token server, so there is no token to be had here.'],
    why: 'the registry uses Basic, or no login at all',
    remedy: 'nothing: the client needs no token',
  },
  {
    texts: ['Notifications need the secret of REGSHIFT_EVENTS_SECRET.'],
    why: 'the registry sends another secret, or none',
    remedy: 'correct it in the registry; docker-registry then sends the waiting notifications',
  },
  {
    texts: ['There is no route … here. The routes are …'],
    why: '`?route=` in the address names no route',
    remedy: 'use one of the named ids',
  },
  {
    texts: ['This is no notification of docker-registry, Harbor or zot that regshift knows'],
    why: 'another program sends it, or another version',
    remedy: 'use a format of [events.md](events.md)',
  },
  {
    texts: ['The notification is no JSON, or broke off before its end.'],
    why: 'the sender, or a proxy before regshift, is wrong',
    remedy: 'check both',
  },
  {
    texts: [
      'The notification has more than … bytes, the most that regshift reads. Its image is made at its first pull.',
    ],
    why: 'a manifest of more than a megabyte',
    remedy: 'nothing',
  },
  {
    texts: ['As many notifications as may be are read at this moment. Send it again in a few seconds.'],
    why: '16 notifications are being read',
    remedy: 'nothing: docker-registry sends it again',
  },
  {
    texts: ['Upstream answered … for the …'],
    why: 'the registry refused the request; its code and message follow. For a 400 of a gateway, the message says that it speaks TLS at this port, or that it wants a client certificate',
    remedy: 'see the message',
  },
  {
    texts: ['…: this registry speaks plain HTTP: use http:// or --plain-http.'],
    why: 'a command of the command line asked a registry by `https://`, which it does not speak',
    remedy: 'write `http://` before the name, or use `--plain-http`',
  },
  {
    texts: ['…: its certificate is not trusted: name its authority with --ca, or use --tls-verify=false.'],
    why: 'the same, with a certificate of an unknown authority',
    remedy: '`--ca file`, or `REGSHIFT_UPSTREAM_CA`',
  },
  {
    texts: [
      '… came to nothing ( … ECONNREFUSED … nothing listens there; check that it runs, and the port …).',
    ],
    why: 'the connection failed. Other network errors have the same form, each with its own advice',
    remedy: 'try `curl` to `REGSHIFT_UPSTREAM` from the same machine',
  },
  {
    texts: ['it does not speak TLS; check https:// against http://'],
    why: '`REGSHIFT_UPSTREAM` has `https://` for a port without TLS',
    remedy: 'write `http://`, or give the registry a certificate',
  },
  {
    texts: ['its certificate is for another name; check the host name'],
    why: "the registry's certificate does not have the host name of `REGSHIFT_UPSTREAM`",
    remedy: 'use a name of the certificate',
  },
  {
    texts: ['its certificate has expired'],
    why: "the registry's certificate is too old, or the clock of this machine is wrong",
    remedy: 'renew it',
  },
  {
    texts: ['the outbound proxy … failed: …'],
    why: 'the outbound proxy of regshift refuses the request; the message has the reason',
    remedy:
      "correct the proxy's URL, ask its operator, or name the registry in `NO_PROXY` ([networks.md](networks.md#outbound-proxies))",
  },
  {
    texts: [
      'its certificate is not trusted; name its authority in REGSHIFT_UPSTREAM_CA or NODE_EXTRA_CA_CERTS',
    ],
    why: "a private authority signed the registry's certificate, or the registry does not send its intermediate certificates",
    remedy:
      '`REGSHIFT_UPSTREAM_CA=/etc/ssl/your-ca.pem`, for one route or for all ([networks.md](networks.md#certificates))',
  },
  {
    texts: ['it may want a client certificate; set REGSHIFT_UPSTREAM_CERT and REGSHIFT_UPSTREAM_KEY'],
    why: 'the registry ended the TLS handshake, as servers do that require a certificate',
    remedy:
      'set both ([networks.md](networks.md#certificates)); without such a requirement, the registry and Node have no cipher in common',
  },
  {
    texts: ['it wants a client certificate; set REGSHIFT_UPSTREAM_CERT and REGSHIFT_UPSTREAM_KEY'],
    why: 'nginx in front of the registry requires a certificate, and says so with 400',
    remedy: 'set both ([networks.md](networks.md#certificates))',
  },
  {
    texts: ['it speaks TLS there; check http:// against https://'],
    why: '`REGSHIFT_UPSTREAM` has `http://` for a port with TLS',
    remedy: 'write `https://`',
  },
  {
    texts: ['it refuses the client certificate; check REGSHIFT_UPSTREAM_CERT'],
    why: 'the registry does not know the authority of the certificate, or the certificate has expired',
    remedy: "show the registry's operator the certificate",
  },
  {
    texts: ['it does not speak TLS 1.2 or later; update it'],
    why: 'the registry offers TLS 1.1 or older',
    remedy: 'update the registry, or put a server with TLS 1.2 in front of it',
  },
  {
    texts: [
      'had no answer within … s. Check that it is healthy, and try again. REGSHIFT_UPSTREAM_TIMEOUT sets the limit.',
    ],
    why: 'the registry, its storage or its token server took longer than the limit ([networks.md](networks.md#timeouts))',
    remedy: 'check it, or raise `REGSHIFT_UPSTREAM_TIMEOUT`',
  },
  {
    texts: [
      'stood still: no byte was sent or received for … s. Check that it is healthy, and try again. A REGSHIFT_UPSTREAM_TIMEOUT above 600 raises the limit.',
    ],
    why: 'a push to the registry did not go on for 10 minutes',
    remedy: 'check the registry and the proxies in front of it',
  },
  {
    texts: ['Upstream took too long to answer. Try again.'],
    why: 'the same, for a request that several clients share',
    remedy: 'check it',
  },
  {
    texts: ['Upstream took too long to name its token server.'],
    why: "the registry's `/v2/` did not respond",
    remedy: 'check it',
  },
  {
    texts: ['The conversion took too long. Try again.'],
    why: 'the conversion reached its deadline',
    remedy: 'pull again: regshift keeps finished parts',
  },
  {
    texts: ['stood still for … s after … bytes. Try again.'],
    why: 'the registry stopped sending a layer',
    remedy: 'pull again',
  },
  {
    texts: ['Of layer … no more than … bytes came in … s: nobody waits for the rest. Try again.'],
    why: 'the registry, or a proxy in front of it, sends a layer extremely slowly',
    remedy: 'pull again; check the registry and its proxies',
  },
  {
    texts: [
      'The registry sent … bytes of layer … in … s, which is too slow to read it. Check the line to the registry, and try again.',
    ],
    why: 'a layer takes longer than ten minutes and a second for each 4 KiB',
    remedy: 'test the connection: `curl` the blob from the same machine',
  },
  {
    texts: ['Upstream began to send … and did not end within … s. Check that it is healthy, and try again.'],
    why: 'the registry sent the beginning of a manifest, a config or a list, but not its end',
    remedy: 'check it, and the proxies in front of it',
  },
  {
    texts: ['Upstream broke off before … was complete. Try again.'],
    why: 'the connection ended too early',
    remedy: 'pull again; check the limits of proxies in front of the registry',
  },
  {
    texts: [
      'Upstream broke off before … was complete, and again each time that regshift requested the rest from byte …. Try again.',
    ],
    why: 'the connection broke six times within one MiB of a layer or config',
    remedy: 'the same; see the log of the registry',
  },
  {
    texts: [
      'Upstream broke off … at byte …, and its response to the request for the rest has …, which does not fit. Try again; if the error stays, check the registry and the proxies in front of it.',
    ],
    why: 'the registry or a proxy answers `Range` wrongly, or has another content by now',
    remedy: 'the same',
  },
  {
    texts: ['Upstream sent … bytes of … and had announced …. Try again.'],
    why: 'the length of the content was wrong',
    remedy: 'the same',
  },
  {
    texts: [
      'Upstream sent … with Content-Encoding … though it was asked for identity. Switch off compression in front of the registry.',
    ],
    why: 'nginx or a CDN compresses responses of the registry',
    remedy: 'set `gzip off` there',
  },
  {
    texts: ['is at the end of … redirects and redirects once more'],
    why: 'the registry redirects in a loop',
    remedy: "report it to the registry's operator",
  },
  {
    texts: ['redirects from https to http (…), which is not followed'],
    why: 'the redirect would leave TLS',
    remedy: 'the same',
  },
  {
    texts: [
      '… names …, whose address is …, and its own address is …: regshift does not connect there. If this is meant, add the address or its network to REGSHIFT_UPSTREAM_NETWORKS.',
    ],
    why: 'a redirect, an upload location or a token server of the registry leads to an address on this machine, on its link or in a private network, while the registry itself is farther away ([security.md](security.md))',
    remedy:
      "if the registry really has its storage or its token server there, add the address to `REGSHIFT_UPSTREAM_NETWORKS`; the log has it at `warn`. Otherwise report it to the registry's operator",
  },
  {
    texts: [
      'redirects to …, which asks for a login (401); credentials are for … only. If the registry has moved, configure its new address.',
    ],
    why: 'logins go only to the configured registry',
    remedy: 'set `REGSHIFT_UPSTREAM` to the new address',
  },
  {
    texts: ['Upstream sent … for …; at most … bytes are read.'],
    why: 'a manifest or config has more than 4 MiB, or the response is not from a registry',
    remedy: 'check the server at `REGSHIFT_UPSTREAM`',
  },
  {
    texts: ['Upstream sent a … with more than … names.'],
    why: 'one page of a list has more than 1,000,000 tags or 200,000 repositories',
    remedy: 'request pages with `?n=`; delete tags',
  },
  {
    texts: ['Upstream sent the … without a body.'],
    why: 'the response of the registry is invalid',
    remedy: "report it to the registry's operator",
  },
  {
    texts: ['Upstream sent a … with ….'],
    why: 'a list of tags or repositories has more than 500 levels of brackets, 200,000 values besides the names, or 4 MiB without a name',
    remedy: 'check `REGSHIFT_UPSTREAM`',
  },
  {
    texts: ["Upstream's … is not JSON."],
    why: 'the list of tags or of repositories is not from a registry',
    remedy: 'check `REGSHIFT_UPSTREAM`',
  },
  {
    texts: ['regshift could not answer this request; its log says why.'],
    why: 'a fault of regshift',
    remedy: 'report it, with the log',
  },
  {
    texts: ['the store of layers failed; the layer comes from the registry'],
    why: 'the line has `use` (`read` or `write`) and `reason`: the disk is full or slow, or its rights are wrong',
    remedy: 'see `reason`; check the folder of `REGSHIFT_STORE`',
  },
  {
    texts: ['it has more than … bytes (REGSHIFT_STORE_BYTES)'],
    why: 'the layer is larger than the whole store may be',
    remedy: 'raise `REGSHIFT_STORE_BYTES`',
  },
  {
    texts: ['it took … bytes in … s'],
    why: 'the store took less than 4 MB a second, while regshift waited for it',
    remedy: 'use a faster disk, or a bucket that is nearer',
  },
  {
    texts: ['no answer in … s'],
    why: 'the store did not answer in time',
    remedy: 'check the disk, or the network to it',
  },
  {
    texts: ['the store of REGSHIFT_STORE cannot be used; layers come from the registry'],
    why: 'at the start, the folder could not be made, read or written',
    remedy: 'give the user of regshift the rights to it',
  },
  {
    texts: ['the store of layers cannot make room'],
    why: 'old layers could not be removed',
    remedy: 'the same',
  },
  {
    texts: ['a stored layer is damaged and was removed'],
    why: 'a file or an object had another length than its layer',
    remedy: 'nothing; if it happens again, check the disk',
  },
  {
    texts: ['Create the bucket, or correct its name in REGSHIFT_STORE'],
    why: 'the S3 server refused the request; its status, code and message follow. Other codes have their own advice',
    remedy: 'see the message',
  },
  {
    texts: ['… to … had no answer within … s'],
    why: 'the S3 server did not answer',
    remedy: 'check it, and the network',
  },
  {
    texts: ['must not be a folder on Workers, which have no disk: bind a bucket of R2 as LAYERS'],
    why: '`REGSHIFT_STORE` is `file://…` on a Worker',
    remedy: 'use R2 or S3 ([store.md](store.md))',
  },
  {
    texts: ['REGSHIFT_STORE is not set. Set it as for serve, like file:///var/lib/regshift.'],
    why: '`regshift store` reads the settings of `serve`',
    remedy: 'set it in the environment, or name the file in `REGSHIFT_CONFIG`',
  },
  {
    texts: ['This store has rules of its own for what it removes.'],
    why: 'the store is a bucket with rules',
    remedy: 'set the rules at the bucket',
  },
  {
    texts: ['is not what its digest says, so it is not used'],
    why: "the bytes were changed, in the registry's storage or on the way",
    remedy: 'push the image again; check for proxies that rewrite responses',
  },
  {
    texts: ['can be read in two ways (CVE-2021-41190), so it is not read at all'],
    why: 'the manifest has the fields of an image and of an index',
    remedy: 'find out which tool made it',
  },
  {
    texts: ['The manifest says one type and has the shape of another (CVE-2021-41190), so it is not read'],
    why: 'the same',
    remedy: 'the same',
  },
  {
    texts: ['A key can be taken for another one, as programs in Go do (CVE-2021-41190)'],
    why: 'two keys differ only in upper and lower case',
    remedy: 'the same',
  },
  {
    texts: ['twice in one object, so two programs can read two things'],
    why: 'an object has the same key twice',
    remedy: 'the same',
  },
  {
    texts: [
      'Upstream sent a web page (text/html) as the manifest … of …. Check that REGSHIFT_UPSTREAM names a registry, and that nothing in front of it asks for a login.',
    ],
    why: 'a login page or a proxy responded in place of the registry',
    remedy: 'the same; see the page with `curl`',
  },
  {
    texts: ['is not JSON: line …, column …'],
    why: 'the document is not valid JSON',
    remedy: 'push the image again',
  },
  {
    texts: ['A signature of the schema 1 manifest does not hold, so the manifest is not used'],
    why: 'schema 1 was changed after it was signed',
    remedy: 'push the image again',
  },
  {
    texts: ['The chain of v1 images is broken'],
    why: 'the parents of the entries of a schema 1 manifest do not match',
    remedy: 'push the image again',
  },
  {
    texts: ['The config and the manifest disagree on the number of layers'],
    why: 'the tool that made the image is faulty',
    remedy: 'build the image again',
  },
  {
    texts: ['The history does not account for the layers'],
    why: 'the history names more layers than there are',
    remedy: 'build the image again',
  },
  {
    texts: ['is not what the config says it is, unpacked'],
    why: 'the decompressed layer does not match its diff_id',
    remedy: 'build the image again',
  },
  {
    texts: ['should unpack to … bytes); found …'],
    why: 'the same, for a zstd layer',
    remedy: 'build the image again',
  },
  {
    texts: ['is cut short: its zstd ends before the last frame does. Push it again.'],
    why: 'the upload was cut',
    remedy: 'push the image again',
  },
  {
    texts: ['is broken … Push it again.'],
    why: 'regshift cannot decompress the layer',
    remedy: 'push the image again',
  },
  {
    texts: ['is packed with …; only gzip, zstd and plain tar are read.'],
    why: 'the layer is compressed with xz or bzip2, which the standards do not allow',
    remedy: 'compress it with gzip',
  },
  {
    texts: [
      'needs a zstd window of … bytes; at most … are given to one here. Compress it again without --long and --ultra.',
    ],
    why: 'decompressing the layer takes that much memory',
    remedy: 'compress it again without `--long` and `--ultra`',
  },
  {
    texts: ['needs a zstd dictionary, which no client has.'],
    why: 'the layer is compressed with a dictionary',
    remedy: 'compress it without a dictionary',
  },
  {
    texts: ['that is a decompression bomb, or of no use.'],
    why: 'the layer decompresses to more than 2 GiB, and to more than 250 times its size',
    remedy: 'find out which tool made it',
  },
  {
    texts: ['should be … bytes); found …'],
    why: 'in the log, and as 502: the layer for a client that verifies nothing does not match its digest or its size; the client sees `unexpected EOF` or 502',
    remedy: 'push the image again',
  },
  {
    texts: ['came with other content: … Try again.'],
    why: 'the layer does not match its digest',
    remedy: 'push the image again',
  },
  {
    texts: ['regshift needs Node … or newer; this is …'],
    why: 'the Node that starts regshift is too old. The exit code is 78',
    remedy:
      'install a newer Node, or use the container; in a clone, `npm ci` brings one for `npm start` and `npx regshift`',
  },
  {
    texts: [
      'must be the URL of your registry, like https://registry.example, because NODE_ENV is production. For the built-in sample registry, set REGSHIFT_UPSTREAM=sample',
    ],
    why: '`REGSHIFT_UPSTREAM` is not set, and `NODE_ENV` is `production`, as in the container and the systemd unit',
    remedy: 'set `REGSHIFT_UPSTREAM`',
  },
  {
    texts: ['is not a setting: did you mean …?'],
    why: 'the name of a variable or a key is misspelt',
    remedy: 'use the name in the message',
  },
  {
    texts: ['is not a setting: docs/settings.md lists all'],
    why: 'no setting has a similar name',
    remedy: 'see [settings.md](settings.md), or remove the variable',
  },
  {
    texts: [
      'is not a setting: Kubernetes sets it for a Service with the name regshift; set enableServiceLinks: false in the pod',
    ],
    why: 'Kubernetes gives each pod variables for the Services of its namespace',
    remedy: 'set `enableServiceLinks: false`, as in [the manifests](../deploy/kubernetes/deployment.yaml)',
  },
  {
    texts: ['must be the text itself, or a path to a file that can be read'],
    why: 'the file does not exist (`ENOENT`), or the user of regshift may not read it (`EACCES`)',
    remedy: 'correct the path, or its rights',
  },
  {
    texts: ['is neither a key nor a path to a readable file'],
    why: '`REGSHIFT_SIGNING_KEY` names a file that cannot be read',
    remedy: 'the same',
  },
  {
    texts: ['The signing key cannot be read'],
    why: '`REGSHIFT_SIGNING_KEY` is no P-256 private key (JWK or PEM)',
    remedy: 'create one by `regshift keygen`',
  },
  {
    texts: ['regshift cannot start: port … is in use by …: end that program, or set PORT to a free port'],
    why: 'another program listens at `HOST` and `PORT`. On Linux, the message has its name and process, if it belongs to the same user. The exit code is 1',
    remedy: 'see the message',
  },
  {
    texts: ['the system does not let this user listen on port …: set … to 1024 or more'],
    why: 'ports below 1024 need a right (`CAP_NET_BIND_SERVICE`)',
    remedy: 'use another port, or put a proxy in front',
  },
  {
    texts: ['which is no address of this machine: set HOST to one of its own, or to 0.0.0.0 for all'],
    why: '`HOST` is an address of another machine, or an unknown name',
    remedy: 'see the message',
  },
  {
    texts: ['docker-credential-… is not in the PATH: install it where this program runs'],
    why: 'the credential helper in `REGSHIFT_DOCKER_CONFIG` is missing. The exit code is 1',
    remedy: 'install it',
  },
  {
    texts: ['… is not a setting of regshift: did you mean …?'],
    why: 'a variable without the prefix `REGSHIFT_` looks like a setting, and that setting is not set',
    remedy: 'use the name in the message; if another program needs the variable, ignore the line',
  },
  {
    texts: ['the registry cannot be used'],
    why: 'regshift asks each registry for `/v2/` once when it starts. `reason` has the error: nothing listens there, TLS is missing or not expected, the certificate is not trusted, or the server is no registry',
    remedy:
      'correct `REGSHIFT_UPSTREAM`. If the registry only starts later, nothing: regshift asks it with each request',
  },
  {
    texts: ['Redis is away: going on without it', 'Redis is back'],
    why: 'regshift logs each once; pulls continued ([fleet.md](fleet.md))',
    remedy:
      'check Redis. With `WRONGPASS` or `NOAUTH` in the reason, check the users and passwords in `REGSHIFT_REDIS_URL`, which the Sentinels may have too; with `No such master`, check `sentinelMasterId`',
  },
  {
    texts: ['Redis refuses a command: going on without'],
    why: '`OOM`: Redis is full and may drop nothing; `NOPERM`: the user lacks a command or a name; `READONLY`: it is a replica; `CLUSTERDOWN`: the cluster has lost slots',
    remedy: 'set the policy, commands and names in [fleet.md](fleet.md)',
  },
  {
    texts: ['another replica that shares this Redis is set otherwise'],
    why: '`differing` names the settings that differ',
    remedy: 'give all replicas the same settings, or wait for the end of the upgrade',
  },
  {
    texts: ['a file of the settings cannot be used: going on with what it held before'],
    why: 'a file is missing, empty or half-written, which may last for a moment while it is replaced',
    remedy:
      '`reason` names the setting. If the line is not followed by `files of the settings have changed: logins and users are read from them`, correct that file',
  },
  {
    texts: ['files of the settings have changed: logins and users are read from them'],
    why: 'files were replaced, and regshift uses them',
    remedy: 'nothing',
  },
  {
    texts: ['a cloud gave no new login: going on with the one that it gave before'],
    why: 'regshift renews a login before it ends, and tries again every 30 s; pulls continue to its end',
    remedy: 'see `reason`',
  },
  {
    texts: ['a credential helper failed: going on with the login that it gave before'],
    why: 'the login is about ten minutes old',
    remedy: 'run the helper yourself',
  },
  {
    texts: ['an image was made ahead of its first pull'],
    why: 'a registry notified regshift of a push ([events.md](events.md))',
    remedy: 'nothing',
  },
  {
    texts: ['an image could not be made ahead; it is made at its first pull'],
    why: '`reason` says why',
    remedy: 'nothing, or what the reason says',
  },
  {
    texts: [
      'nothing is made ahead for a route: its registry asks for a login, and regshift has none of its own',
    ],
    why: 'with `passthrough` and `anonymous`, regshift has no login for images that no client requests. Logged once for each route',
    remedy: 'give regshift an account, or nothing',
  },
  {
    texts: ['too many images wait to be made ahead; further ones are made at their first pull'],
    why: '1,000 images wait. Logged once a minute at most; `regshift_warmed_total` counts them',
    remedy: 'name fewer clients in `REGSHIFT_WARM`',
  },
  {
    texts: ['a notification came without the secret of REGSHIFT_EVENTS_SECRET'],
    why: 'the sender got 401',
    remedy: 'correct the secret in the registry, if it is yours',
  },
  {
    texts: ['an event is about a repository that no route serves, or its route is not certain'],
    why: 'several upstreams, and the event names none of them; or `REGSHIFT_REPOSITORIES` excludes it',
    remedy: 'add `?route=<id>` ([events.md](events.md#which-route))',
  },
  {
    texts: ['a notification has more events than regshift reads'],
    why: 'more than 100',
    remedy: 'send fewer in one notification',
  },
];
