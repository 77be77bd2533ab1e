// Written by `npm run page:files`: the program has no other way to this text that works in a clone, in the package and
// in the Worker alike.

/** An entry of docs/errors.md, in its Markdown, with links to machines of the page. */
export interface ErrorEntry {
  /** The messages or codes; `…` stands for text that varies. */
  readonly texts: readonly string[];
  /** The clients that print it; empty for a message of regshift. */
  readonly client: string;
  readonly why: string;
  readonly remedy: string;
}

/** A line for each entry, with tabs between the client, the cause, the remedy and the texts. */
const lines = `
Docker 1.10 – 18.03, CentOS 7's and OpenShift 3's 1.13	the image is stored as OCI, and this Docker reads it as schema 1. Schema 2 sent as \`application/json\` causes the same error	solved: the client gets schema 2. If the error stays, the pull does not reach regshift, or a proxy rewrites \`Accept\`, \`User-Agent\` or \`Content-Type\`	missing signature key
Docker 19.03.0 – 19.03.4	the client requests OCI, but reads it as schema 2	solved: the client gets schema 2	mediaType in manifest should be '…' not '…'
Docker 1.6 – 1.9	any failure: after 401, 404, 500 or 503 these versions try registry API v1, and print the error of that. The engine's own log has the first error	solved if the form was the cause. Otherwise check regshift's log for the first request of the pull	Error: image R:T not found
Docker 1.6 – 1.9, in the engine's log	the client reads only schema 1	solved: the client gets signed schema 1	unsupported schema version 2
Docker up to 1.7, API v1	the repository does not exist; or the tag is not among the newest \`REGSHIFT_V1_TAGS\`; or regshift cannot convert that image (the log says \`tag left out of API v1\`, and why)	raise \`REGSHIFT_V1_TAGS\`, or tag the image again	image R not found	Tag T not found in repository R
Docker before 23	the layer is compressed with zstd	solved: the manifest names the decompressed layer	archive/tar: invalid tar header
Docker before 23 (seen with 20.10)	the layer is compressed with zstd, with a layer that is, compressed, shorter than the header of a tar	solved: the manifest names the decompressed layer	ApplyLayer exit status 1 stdout: stderr: unexpected EOF
Docker 1.8, 1.9	the client gets an index, and finds no image for itself in it	regshift selects an image for it. If none fits, the error lists the platforms of the index	no supported platform found in manifest list
Docker 1.10 and later	the image was not built for this platform; or the pull names a platform (\`--platform\`), the layers are compressed with zstd, and regshift has not read those of that platform yet	a conversion cannot help: build the image for the platform. With \`--platform\`, pull again after a minute	no matching manifest for linux/amd64 in the manifest list entries
Docker 1.13, 17.05	the config has OCI's media type	solved: schema 2 names its own media type	target is unknown
Docker 17 and later; podman, skopeo, Buildah, CRI-O	the tag does not exist, or no tag leads to this digest any more	the rest of the line says which. Look up the image on the page of regshift, which lists the tags that are there	manifest for R not found: manifest unknown: …	manifest unknown
Docker 26 – 28.1 (moby#47459); later versions (moby, \`DeprecatedSchema1ImageError\`)	the image is stored as schema 1	solved: the client gets schema 2, after regshift has read the layers	[DEPRECATION NOTICE] Docker Image Format v1 and Docker Image manifest version 2, schema 1 support is disabled by default …	Docker Image Format v1 and Docker Image manifest version 2, schema 1 support has been removed
Docker 1.8 – 20.10, podman, skopeo	the image exists, but not in a form for this client	the rest of the line is a message of regshift: search for it	unsupported: …
containerd 1.5 – 2.1, Docker 26 – 28 with containerd's store, BuildKit before 0.12	a layer has Docker's own zstd type	solved by tag: the client gets the same blobs in an OCI manifest. By digest the stored bytes go out	no processor for media-type
containerd 2.1 and later (client/pull.go; its other message says v2.0); containerd 2.0	the image is stored as schema 1	solved: the client gets OCI or schema 2, after regshift has read the layers. If the error stays, the pull does not go through regshift	media type "application/vnd.docker.distribution.manifest.v1+prettyjws" is no longer supported since containerd v2.1, please rebuild the image as …	Pulling Schema 1 images have been deprecated and disabled by default since containerd v2.0
containerd, Kubernetes (seen with 1.6)	the registry or regshift answered 404: the tag does not exist, or the client reads no form of the image. containerd hides the message	read the message in the log of regshift, or look up the image on its page	failed to resolve reference …: not found
containerd up to 1.6 (seen), and later (core/remotes/errors)	the registry or regshift refused the request; containerd hides the message	401, 403: log in, for Kubernetes by a pull secret for the name of the proxy. 429: see \`toomanyrequests\`. 502 and 503: read the message in the log of regshift	failed with status code [manifests …]: 401 Unauthorized	unexpected status from HEAD request to …
Docker 29 with containerd's store (moby, registry_errors.go)	the rest is the message of the registry or of regshift	search for the rest	error from registry: …
podman, skopeo, Buildah, CRI-O with containers/image before 5.38	a schema 2 manifest has layers of Docker's own zstd type, or OCI types	solved by tag: the client gets the same blobs in an OCI manifest, or schema 2 with Docker's types. By digest the stored bytes go out	unsupported docker v2s2 media type: …
podman, skopeo, Buildah, CRI-O (seen with podman 4.3; newer ones no longer print it)	\`/v2/\` failed, and \`/v1/_ping\` answered with 200. regshift answers these programs with 404 there, so another server did, or a proxy in front with a page for each path	check the address in the name of the image: \`curl -i http://<proxy>/v2/\`. The log of regshift then has no line for the pull	can't talk to a V1 container registry
Docker without containerd's store; podman, skopeo, Buildah, CRI-O	an index inside an index	solved by tag: the client gets one index with all entries	unsupported manifest format	Unexpectedly received a manifest list instead of a manifest for a single image
BuildKit in Docker 20.10	the base image has zstd layers. This BuildKit calls itself \`containerd/1.6.20+unknown\`, as Docker 23 and 24 with containerd's store do, which read zstd	solved by tag: all of them get decompressed layers. \`FROM image@sha256:…\` gets the stored bytes: name the digest of the converted image, which \`regshift explain --for buildkit-0.8\` prints	failed to extract layer …: archive/tar: invalid tar header
Docker, skopeo, podman, during a push	the manifest names a layer or config that the registry lacks: a proxy said that it exists, so the client did not upload it	solved: regshift uploads the content that it made. If the error stays, the client may not read the source image, or no tag names that image any more: push under another repository name	manifest blob unknown: blob unknown to registry
Docker 29, buildx, podman, skopeo, during a push	the registry does not know the type of the manifest: OCI at a registry that has Docker's types alone, or schema 1 at one of today	solved: regshift stores another form (pushes.md). If the error stays, \`REGSHIFT_PUSH_FORMAT\` is \`asis\`, or the manifest is an artifact, which has no other form	manifest invalid
containerd, Docker with containerd's store, BuildKit, during a push	a proxy stored another manifest and named its digest	solved: the response names the pushed digest	got digest …, expected …
Docker up to 1.4	it pushes by registry API v1	push with Docker 1.6 or later	Error: Status 405 trying to push repository …
Docker 1.5	it pushes digests that no registry of today knows	push with Docker 1.6 or later	Server error: 400 trying head request for … - tarsum.v1+sha256:…
Docker 17 and later	the registry answered 401 or 403	run \`docker login <proxy>\` with an account of the registry. If the proxy uses its own account (\`REGSHIFT_UPSTREAM_AUTH\`), check the rights of that account	pull access denied for R, repository does not exist or may require 'docker login'
Docker, containerd; podman, skopeo (seen with Docker 20.10 and podman 4.3)	the registry wants a login, and the client has none for the name of the proxy. A login for the registry's own name does not count	\`docker login <proxy>\`, \`podman login <proxy>\`, with the host and port as in the image's name. ECR: the password of \`aws ecr get-login-password\` is valid for 12 hours	no basic auth credentials	unauthorized: authentication required	reading manifest … in …: unauthorized
podman, skopeo; Docker	the login is wrong or has expired	log in again	unable to retrieve auth token: invalid username/password	unauthorized: incorrect username or password
all	the login has no right to this repository	ask for the right. With \`REGSHIFT_UPSTREAM_AUTH\`, the account of the proxy needs it	denied: requested access to the resource is denied	reading manifest … in …: denied
all	the registry, or its token server, limits pulls	log in. Set \`REGSHIFT_LISTS=one\`, so that regshift fetches one image instead of all images of an index. Meanwhile regshift serves public images for \`REGSHIFT_STALE\` seconds	toomanyrequests: …	429 Too Many Requests
all	the machine does not know the authority that signed the certificate of regshift, or of the server in front of it	put the authority's certificate into \`/etc/docker/certs.d/<host:port>/ca.crt\`; containerd: \`ca =\` in \`hosts.toml\`	x509: certificate signed by unknown authority
all clients of Go; curl	the certificate of regshift, or of the server in front of it, has expired (\`is after\`); or the clock of the client is wrong (\`is before\`)	put the renewed certificate and key into the files of \`REGSHIFT_TLS_CERT\` and \`REGSHIFT_TLS_KEY\`. regshift reads them within ten seconds, without a restart (operations.md). With \`is before\`, set the clock of the client right	x509: certificate has expired or is not yet valid	SSL certificate problem: certificate has expired
all clients of Go (seen with skopeo 1.9.3); curl	the certificate of regshift, or of the server in front of it, does not have the name or the address of the proxy, as the client writes it, in \`subjectAltName\`	make a certificate that has it: \`openssl req -addext 'subjectAltName=DNS:proxy.example.com,IP:192.0.2.7'\`. Or use a name of the certificate in the client	x509: cannot validate certificate for … because it doesn't contain any IP SANs	x509: certificate is valid for …, not …	x509: certificate is not valid for any names	x509: certificate relies on legacy Common Name field	no alternative certificate subject name matches target host name
Docker 1.12 and later, containerd; podman, skopeo	regshift speaks plain HTTP, but the client requires TLS	Docker: add regshift to \`insecure-registries\`. containerd: \`http://\` in \`hosts.toml\`. podman, skopeo: \`insecure = true\` in \`registries.conf\`, or \`--tls-verify=false\`. Or put TLS in front of regshift ([guides](#machine))	http: server gave HTTP response to HTTPS client
podman, skopeo, Buildah, CRI-O (seen with podman 4.3.1 and skopeo 1.9.3)	regshift speaks plain HTTP, but the client requires TLS	add a \`[[registry]]\` with \`location = "<proxy>"\` and \`insecure = true\` to \`/etc/containers/registries.conf\`, or use \`--tls-verify=false\` for one command (skopeo copy: \`--src-tls-verify=false\`). Or put TLS in front of regshift ([guide](podman))	pinging …: Get …: http: server gave HTTP response to HTTPS client
OpenSSL (curl, Python, Node); Go	the address begins with \`https://\`, but the port speaks plain HTTP. The response is \`400\` with \`The client sent a TLS hello to a port that speaks plain HTTP. Use http:// here.\`	use \`http://\`, or set \`REGSHIFT_TLS_CERT\` and \`REGSHIFT_TLS_KEY\`	wrong version number	first record does not look like a TLS handshake
curl and other clients that print the body of a response	the address begins with \`http://\`, and \`REGSHIFT_TLS_CERT\` is set	use \`https://\`	The client sent plain HTTP to a port that speaks TLS. Use https:// here.
Docker 1.10 and later, podman, skopeo (seen with 20.10 and 4.3)	regshift could not get the content from the registry; the client hides the message	read the message with \`curl\` on the same path, or in the log	received unexpected HTTP status: 502 Bad Gateway
skopeo (seen with 1.9.3: \`pinging container registry …: invalid status code from registry …\`), podman	regshift got no response from the registry for \`/v2/\`, which these programs request first; the client hides the message	\`curl -s http://<proxy>/readyz\` shows the state of each registry; the log has the reason	invalid status code from registry 502 (Bad Gateway)	invalid status code from registry 503 (Service Unavailable)	invalid status code from registry 504 (Gateway Timeout)
all	the client does not reach the proxy: it does not run, listens on 127.0.0.1 alone, or a firewall or a wrong name is between them; or something else listens there, and does not answer	\`curl http://<proxy>/v2/\` on the machine of the client. \`HOST=0.0.0.0\` lets regshift listen on all addresses	connection refused	no route to host	i/o timeout	no such host	context deadline exceeded	Client.Timeout exceeded while awaiting headers	TLS handshake timeout
any, from docker-registry and Docker Hub	an old client contacted that registry directly	pull through regshift: the text means that the pull did not go through it	OCI manifest found, but accept header does not support OCI manifests
Charliecloud; umoci up to 0.4.7, Singularity 3; Cloud Foundry; jib	the layers are compressed with zstd, and \`Accept\` does not say that the program cannot decompress them	a rule about the client: recipes	method gz: ReadError('not a gzip file')	manifest list: duplicate architecture: …	blob is not correct mediatype: application/vnd.oci.image.layer.v1.tar+zstd	diffID digest mismatch	NoClassDefFoundError: com/github/luben/zstd/…
enroot up to 3.4.0	the image is stored as OCI, which this version does not name	solved: the client gets a list and schema 2	URL https://…/manifests/… returned error code: 404 Not Found
AWS Lambda	the image in ECR is an index	copy one image of it by \`regshift copy\` (copies.md), or through regshift: recipes	The image manifest, config or layer media type for the source image … is not supported.
	the name is not a valid repository name	correct it. A repository whose name Docker up to 1.7 refuses needs a name in \`REGSHIFT_ALIASES\`	NAME_INVALID
	the reference is neither a tag nor a digest	correct it	REFERENCE_INVALID
	the repository does not exist, or regshift does not serve it	check the name, and \`REGSHIFT_REPOSITORIES\`	NAME_UNKNOWN
	the tag or digest does not exist	check it. A converted digest needs a tag that still names the image, and values of \`REGSHIFT_WALK_TAGS\` and \`REGSHIFT_WALK_GETS\` that are large enough for the search	MANIFEST_UNKNOWN
	the layer or config does not exist	pull the image again. If the error stays, the registry has lost it	BLOB_UNKNOWN
	the upload was not started through this proxy	push again	UPLOAD_UNKNOWN
	regshift has no such path	check the address	ENDPOINT_UNKNOWN
	a pushed manifest did not arrive completely, or the registry takes it in no form that regshift can make	the message has the reason	MANIFEST_INVALID
	a pushed manifest has more than 4 MiB, or regshift must convert the push and meets a limit	push an image with fewer layers or annotations; the message names the limit	MANIFEST_TOO_LARGE
	the image exists, but not in a form for this client (or not yet)	the message has the reason	UNSUPPORTED
	the image is stored as schema 1 without a signature, and \`REGSHIFT_UNSIGNED_SCHEMA1\` is \`refuse\`	push it again with a newer client	UNSIGNED
	a push or a deletion through a read-only proxy, or of content that regshift makes; or another method than \`POST\` for \`/events\`	push to the registry itself, or set \`REGSHIFT_PUSH=allow\`	METHOD_NOT_ALLOWED
	a request for a token whose form regshift cannot read	report it to the maker of the client	TOKEN_REQUEST_INVALID
	a notification that regshift cannot read	check the registry's settings (events.md)	EVENT_INVALID
	a notification of more than 2 MiB, or of more than 20,000 values	nothing: the image is made at its first pull	EVENT_TOO_LARGE
	a notification whose body did not arrive within 10 s	check the network between the registry and regshift	EVENT_TIMEOUT
	the request needs a login, or the login was refused	\`docker login\` at the proxy	UNAUTHORIZED
	the login has no right to read the image	ask for the right, or give it to the proxy's account	DENIED
	the registry limits requests	wait for the time in \`Retry-After\`; log in	RATE_LIMITED
	the content in the registry is broken	push the image again	UPSTREAM_CONTENT
	the registry, or a server in front of it, sent an invalid response	report it to the operator of the registry, or of the host that the message names	UPSTREAM_ANSWER
	regshift cannot connect to the registry	check name, port, TLS and firewall from the machine of regshift	UPSTREAM_UNREACHABLE
	the registry is too slow	check it, and pull again	UPSTREAM_TIMEOUT
	too much work at once: requests, searches for unknown digests, logins to check, or downloads that use all the memory for decompression	retry after \`Retry-After\`; the message says which limit. For requests raise \`REGSHIFT_MAX_REQUESTS\`; for searches share a cache between the replicas; or run another replica	OVERLOADED
	a setting is missing or wrong, or a credential helper has no login for the registry	the message names the cause. For a helper, run \`docker-credential-<name> get\` yourself: regshift does not show the output of the helper	MISCONFIGURED
	a fault of regshift	the log has the stack: please report it	INTERNAL
	a digest names bytes, and the client cannot read the form of these bytes	pull by tag, or pin the digest that the message names. \`REGSHIFT_CONVERT_BY_DIGEST=always\` is for tools that do not verify digests: Docker and containerd would refuse the bytes	… is …, which this client (…) does not read. Pull … instead, or pull by tag: it is the same image as …
	\`Accept\` names no usable type, usually because a proxy has removed lines from it	let the proxy pass on the whole \`Accept\`	The image is stored as …, and this client (…) reads no form that it can be converted to.
	the index has no image for the client's platform; the message lists its platforms	build the image; \`REGSHIFT_PLATFORM\` sets the platform of clients that do not name theirs	There is no image for … under this name
	zstd layers for an old client, or schema 1 for a new one: regshift must read each layer once, and that took longer than \`REGSHIFT_MEASURE_DEADLINE\`	pull again: regshift continues to read meanwhile. \`regshift warm\` reads the layers before the first pull	regshift reads the layers of this image once before it can be given, and is preparing layer … of … Pull again in about … s.
	the client requests a zstd layer as a plain tar, and the request waited 30 seconds for memory	pull again. Or run another replica, or compress layers without \`--long\` and \`--ultra\`: they then take 8 MiB or less each	Cannot decompress … now: other downloads use all the memory for it. Try again in … seconds.
	the layer is larger than the limit (256 MiB on Workers and in an embedded app)	raise \`REGSHIFT_LAYER_BYTES\`, or use regshift on Node, which has no limit	unpacks to more than … bytes, the most that is unpacked here (REGSHIFT_LAYER_BYTES).	regshift serve on Node reads layers of any size: put it in front of this image, or raise the limit.
	the request converts an index with many images	\`REGSHIFT_LISTS=one\`	This takes more than … requests to the registry and to caches, the most that one request may cause here (REGSHIFT_SUBREQUESTS).
	Docker up to 1.9 cannot start images with more than 124 layers	build the image with fewer layers	The image has more layers than clients of schema 1 can run; rebuild it with fewer layers
	only OCI has a media type for encrypted layers	use a client that reads OCI	The image has an encrypted layer, which this form cannot carry
	schema 1 cannot hold foreign layers (Windows)	use a client that reads schema 2	The image has a layer of a type that this form does not have
	the content is a chart, a signature, or an attestation	use its own tool: a client that names its type gets it unchanged	This is not a container image that can be given in another form
	the content is a chart, a signature, or an attestation, by its config	use its own tool: a client that names its type gets it unchanged	The config is not that of a container image
	the content is a chart, a signature, or an attestation, by its config, for a generic manifest	use its own tool: a client that names its type gets it unchanged	The target of the generic manifest is no container image
	regshift left out every entry; the message has the reason for each	see the reasons	No image of the index can be given in this form
	schema 1 cannot hold an index	set \`REGSHIFT_PLATFORM\`	The form holds the image of one platform: choose one of the index first
	\`REGSHIFT_UNSIGNED_SCHEMA1\` is \`refuse\`	push the image again, or set \`accept\`	… is stored as schema 1 without a signature, and this proxy is set to refuse such images (REGSHIFT_UNSIGNED_SCHEMA1). Push the image again with a newer client.
	the index has more than 8 levels or 1,000 manifests	make a smaller index; no client could use this one	The index is too large or too deep to be followed
	the manifest has more than 1,000 layers or entries	make a smaller index; no client could use this one	The manifest names too many things
	a manifest or config has more than 4 MiB, which registries refuse too; or it would have more after a conversion	make a smaller index; no client could use this one	The … is too large to be read
	a manifest or config has more than 20,000 values, such as annotations or entries of the history	make a smaller index; no client could use this one	The … has too many values
	the strings of a manifest or config have more than 400,000 escapes, such as \`\\n\` and \`\\"\`	make a smaller index; no client could use this one	The … has too many escapes
	a manifest or config has more than 500 levels of objects and lists	make a smaller index; no client could use this one	The … is nested too deeply
	a manifest or config has another encoding than UTF-8	build the image again, with text in UTF-8	The … has too many bytes that are not UTF-8
	the client requests a digest that another process made, this process does not know the layers of the image, and the registry counts pulls	pull by tag once	The … would have to be read first.
	regshift could not read the layers of a schema 1 image	the log names the layer	A layer could not be read
	Docker up to 1.5 reads schema 1 by API v2, fails on its layers, and then uses API v1. regshift refuses API v2 at once	nothing: the pull continues by API v1	This Docker cannot pull by registry API v2.
	\`inspect\` or the page was asked for an image by its digest; Docker up to 1.5 cannot ask for it so	look it up by a tag, and pull it by that	The client pulls by registry API v1, which has no digests.
	older forms have no field for annotations, an artifact type and fields of newer tools. \`The image runs without it.\` follows	nothing. Tools that need it can read the stored manifest, by the digest in \`Regshift-Source-Digest\`	has no place in this form	is not known to any dialect, and has no place in this form
	older forms have no field for annotations, an artifact type and fields of newer tools. \`The image runs without it.\` follows, for the link from a signature or an attestation to its image	nothing. Tools that need it can read the stored manifest, by the digest in \`Regshift-Source-Digest\`	has no place in this form, so nothing refers to the subject any more
	the new form cannot hold content inside of the manifest, so the client fetches it as a blob	nothing	has no place in this form; the content can still be fetched
	the manifest names another address for a layer, as for base layers of Windows	nothing, if the registry has the layer	has no place in this form; the registry must hold the content
	a generic manifest has a part that is no layer	nothing	is no layer, and this form lists layers alone
	Docker up to 1.9 can start at most 124 entries, so the oldest empty entries of the history are left out	nothing	is an entry without a layer, and there are more entries than old clients can run
	a signature of schema 1 cannot cover another form	nothing	cover the schema 1 document alone
	an entry of an index is no image, like an attestation; or regshift cannot convert it, and the rest of the sentence is the reason	nothing, if no old client needs that platform	is left out
	a push or a deletion, but the proxy uses its own account or is set to read only	push to the registry itself, or set \`REGSHIFT_PUSH=allow\`: all users of the proxy can then write with its account	This proxy is set to read only (REGSHIFT_PUSH): nothing can be pushed or deleted through it.
	a deletion of converted content; or the registry refuses a pushed manifest because of content that regshift can no longer make	use the digest that the message names, or push all parts of the image under another name	The registry does not have …: regshift makes it from … of … when it is pulled.
	the manifest is larger than the limit of registries	push an image with fewer layers or annotations	The pushed manifest has …, where … bytes are the most that registries take.
	the client's connection ended	push again; check the proxies between client and regshift	The pushed manifest broke off before its end. Push again.
	the manifest has more than 64 KiB, or its length is not known, and the connection stands still	check the connection and the proxies between client and regshift; push again	No byte of the pushed manifest came for 30 seconds. Check the connection, and push again.
	manifests above 64 KiB have 32 MiB of memory together, of which one address has 8 MiB, and none became free within 30 s	push again. If regshift is behind a proxy, name that proxy in \`REGSHIFT_TRUSTED_PROXIES\`: without it, all clients share one address	Too many large manifests are pushed at the same time. Push again in a few seconds.
	the registry refuses the form of a pushed manifest, and the other form cannot hold it	the rest of the message is the reason: encrypted layers, or a signature that does not hold	The registry does not take …, and regshift cannot convert this one to …:
	the pushed schema 1 has no signature	push with a client that signs: Docker 1.6 to 1.9, skopeo; or in another form	The registry does not take schema 1, and regshift converts a pushed schema 1 manifest only with a signature.
	the images of an index come before it	push them first	The registry does not have all manifests that the pushed index names (…).
	annotations or attestations have no place in the form that the registry takes	push without them, or set \`allow\`	The registry takes the pushed manifest only as …, which would lose …, and this proxy is set to refuse that (REGSHIFT_PUSH_LOSSES).
	an attestation at a registry of Docker's types	\`docker buildx build --provenance=false --sbom=false\`, or set \`allow\`	The registry does not take …, the artifact … has no other form, and this proxy is set to leave nothing out (REGSHIFT_PUSH_LOSSES).
	Docker up to 1.4	push with Docker 1.6 or later	Nothing can be pushed by registry API v1, which this Docker pushes by:
	a client sent a method of registry API v1 that changes something	push with Docker 1.6 or later	… is not served here: regshift only reads.
	the registry takes the pushed image in another form only, and a layer or config of it is beyond a limit, or broken	the rest of the message is the reason. Push the image with gzip layers, which need no decompression, or raise the limit that the message names	regshift cannot make content that the push needs: …
	the registry takes the pushed image or index in another form only, and it has many layers or images	push again: the content that is uploaded by now is not uploaded again. Or raise \`REGSHIFT_SUBREQUESTS\`	The push takes more requests to the registry than one request may cause here (REGSHIFT_SUBREQUESTS).
	large layers, for a push of schema 1 or zstd	push again; raise \`REGSHIFT_MEASURE_DEADLINE\`	regshift still reads the layers of the pushed image, which the registry takes in another form only. Push again in about … s:
	a pushed manifest names a blob that regshift makes and the registry lacks, or regshift stores the manifest in another form. regshift uploads it with your login, and the registry refuses the upload	code and message of the registry follow: check the right to push, and the registry's limits	upload of … to …
	the upload is more than a day old, or began with another signing key	push again; give all replicas the same \`REGSHIFT_SIGNING_KEY\`	This upload was not begun here, or too long ago. Push again.
	the list of repositories continues after many that the proxy does not serve; its link is more than a day old, or from a proxy with another signing key	read the list again; give all replicas the same \`REGSHIFT_SIGNING_KEY\`	This page of the list was not begun here, or too long ago. Read the list again from its first page.
	a deletion by the pushed digest, of an image that is stored in another form	delete it again after the time in \`Retry-After\`, or by the digest in \`Regshift-Stored-Digest\`	regshift still reads the layers of this image, to find the form that is stored. Delete it again later.
	the path is not one that regshift made	push again	is no upload that was begun here.
	\`REGSHIFT_REPOSITORIES\` does not include it	add it to \`REGSHIFT_REPOSITORIES\`, or use another repository	The repository … is not served here.
	the proxy has several routes, and none is for this name	check the name	No route of this proxy leads to the repository … from here.
	the proxy has several routes, and none is for this name, for the address of the request	check the address	No route of this proxy is for what asks for …
	the path is not part of the registry API	check the address: it must be that of a registry, without a folder	There is nothing at … here.
	the path is not part of the registry API	check the address: it must be that of a registry, without a folder	There is nothing at … in registry API v1.
	names have only lower-case letters, digits and separators	correct the name	is not a repository name: parts of lower-case letters and digits
	the reference is invalid	correct it	is neither a tag nor a digest.
	the tag is invalid	correct it	is not a tag.
	the digest is invalid	correct it	is not a digest: sha256: and 64 lower-case hex digits.
	the client requests the digest of a manifest as a layer	request it below \`/manifests/\`	… is a manifest of …, and no blob.
	the process does not know the digest and must search the tags of its repository. A repository has one search at a time, the process has four	try again; let the replicas share a cache, so that they search less	regshift is still searching for other digests, and the search in … had no turn within … s. Try again in … s.
	256 searches wait for their turn, or 64 of this client's address	try again; let the replicas share a cache, so that they search less	regshift has too many searches in line to look for this digest in … now. Try again in … s.
	the registry does not respond in time	check the registry, and try again	The search in … made no progress for … s, and another search took its turn. Try again in … s.
	the registry is slow, or the layers that the search reads are large	try again: the next search gets further	The search in … did not end within … s. regshift keeps the images that it read. Try again in … s.
	three searches of this login, or twelve of its address, found nothing in this repository within 30 s	check the digest; try again	Too many digests or ids that … does not have were asked for within … s, so regshift does not search for this one now. Try again in … s.
	regshift made the config for an image that no longer exists	pull again	The config … can no longer be made. Pull the image again.
	the name has upper-case letters or other characters, or an option has swallowed a word	write it like \`registry.example:5000/team/app:1.0\`	… is not an image name.
	the digest is cut, or in upper case	copy the whole digest	… has no valid digest after the @.
	the tag is empty, or has other characters than letters, digits, \`.\`, \`_\` and \`-\`	correct the tag	… has no valid tag after the colon.
	the part before the first \`/\` is no host	write it like \`registry.example:5000/team/app:1.0\`	… has no valid registry host.
	\`--for\` or \`--clients\` names no client that regshift knows	use a name that the message lists, like \`docker-1.13\`	… is not a known client.
	\`regshift check\` without an image	name an image	Name an image, or use --pods.
	\`regshift check --pods\` got an empty list. The exit code is 0	ask for pods of the right namespace: \`kubectl get pods -A -o json\`	The list has no pods, so there is nothing to check.
	\`regshift check --pods\` reads the output of \`kubectl\`	use the line in the message	Standard input has no pods. Use: kubectl get pods -o json
	\`regshift explain\` got both	leave one out	Use either --for, or --accept and --user-agent.
	\`regshift warm\` got none or both	use one of the two	Name the clients: use either --for, like --for docker-1.13, or --all-clients.
	the value of \`--creds\` or \`--to-creds\` has no colon	write \`user:password\`	… must be a user and a password with a colon between them: user:password.
	the registry, or its token server, refused the login of \`--creds\` or \`--to-creds\`	correct the login; without the option, the login of \`docker login\` counts	refused the login that … gave for the user …. Check the user name and the password.	The login is that of …, for the user ….
	the repository does not have this tag; without a tag, commands ask for \`latest\`	use one of the tags that the message names	The registry answered 404 for the manifest … of …. Check the tag.
	the registry, or its token server, refused the login of this file of \`docker login\` or \`podman login\`	log in again. The file is the first one with a login for the registry: \`REGISTRY_AUTH_FILE\`, \`config.json\` of \`DOCKER_CONFIG\`, \`containers/auth.json\` of \`XDG_RUNTIME_DIR\`	refused the login of …. Log in again, or give another login by …	The login is that of ….
	the file is damaged. The message names the variable that leads to it	run \`docker login\` again	… is not a configuration file of docker login. Fix it, or set … to another ….
	the host of the image is wrong; the message says what is possible	correct it	… cannot be used as a registry: it …
	\`regshift convert --json\` without \`--out\`	add \`--out\`	--json prints the result of the conversion. Use --out to name the file for the manifest.
	\`regshift convert --to schema1\` without \`--name\`	add \`--name\`	Schema 1 contains the repository name. Set it with --name, like --name team/app.
	\`--name\` is no name of a repository	correct it	… is not a repository name. Use lower-case letters, like team/app.
	the form does not fit the file	do what the message says	This is an index, but … holds one image. Select the image with --platform…, or convert the whole index with --to list, index or generic.	This is one image, but --to … is for an index
	\`--out\` names a file	name a folder	The conversion makes more than one manifest (configs, layers or child manifests). Name a folder: --out folder/
	a file in the folder of \`regshift convert --from\` has other bytes than its name says; nothing of it is written	copy the image into that folder again	… should be …; found …
	the folder of \`regshift convert --out\` has an \`index.json\` of another kind	name another folder	… is not the index of an OCI layout. Name another folder: --out folder/
	the name of the manifest is a folder	name the file in it	… is a folder, but a file is needed
	the disk of the command's output is full, or the output is closed	make room, or write elsewhere	the result cannot be written: …
	the file has more than 4 MiB	name the manifest	… is too large for a manifest or a config
	the config or a manifest of an index is in another folder	add \`--from\`	… is needed, but is not in …: name a folder that has it (--from)
	\`regshift warm\`: \`--proxy\` is not the address of a regshift, or the proxy refuses the request	check the address; search for the rest of the message	The proxy does not speak registry API v1: expected …. Check the address in --proxy.	The proxy answered … for …: …
	regshift cannot convert any of the tags that it checked; the reason for the first one follows	see the reason	… cannot be given to this Docker.
	regshift cannot convert any of the tags that it checked; the reason for the first one follows, for the newest \`REGSHIFT_V1_TAGS\`	raise it	No tag of … that was looked at can be given to this Docker.
	each process must be able to read the tokens of the others	set the same key for all processes	REGSHIFT_SIGNING_KEY is not set, and this needs it here: registry API v1, in which old Dockers pull, and uploads that the registry wants at an address of its own.
	the pull began more than a day ago, before a restart without \`REGSHIFT_SIGNING_KEY\`, or at another proxy with another key	pull again; set the key	The token is not one that was given out here, or is too old … Pull again.
	the pull began more than a day ago, before a restart without \`REGSHIFT_SIGNING_KEY\`, or at another proxy with another key	pull again; set the key	The address was not given out here … Pull again.
	a token is for one repository	pull again	The token is of another repository
	the client ignored \`X-Docker-Endpoints\`, or a proxy removed it	let the proxy pass on response headers	The address names no repository. Ask for /v1/repositories/<name>/images first
	the tag was moved or deleted during the pull	pull again	There is no image … in … that its tags lead to.
	the repository is empty, or all its tags were deleted	push an image with a tag	The repository … has no tags.
	resolving the tags took longer than 40 seconds	lower \`REGSHIFT_V1_TAGS\`	Upstream takes too long to tell what the tags of … are.
	these versions allow two parts at most	\`REGSHIFT_ALIASES=team/app=group/sub/app\`	Names that this Docker cannot ask for need a short one in REGSHIFT_ALIASES of the proxy.
	\`docker login\` of these versions first tries to create an account	nothing: the login that follows counts	Accounts are not made here. Log in with one of the registry.
	the request has no login	\`docker login\`	Log in with a name and a password of the registry.
	podman, skopeo and other programs of today asked \`/v1/_ping\`, after \`/v2/\` failed	see why \`/v2/\` failed: \`curl -i http://<proxy>/v2/\`	Pull by registry API v2.
	a browser sent a \`POST\` of another site, with the login that it remembers	if the page is yours, let the registry name its origin in \`Access-Control-Allow-Origin\`, and set \`REGSHIFT_CORS=registry\`; otherwise the site tried to push in your name	A web page of … may not push through this proxy: the registry names no such page in its CORS headers.
	\`REGSHIFT_CLIENT_AUTH=basic\`	\`docker login <proxy>\`	Log in with a user name and a password of this proxy (docker login).
	the login matches no line of \`REGSHIFT_HTPASSWD\`	check that line. regshift reads the file again within two seconds of a change; a line of the log at \`warn\` says if it cannot	The user name or the password is wrong: log in again (docker login).
	regshift compares one password at a time. At most 32 logins of one address wait, 200 in all, and none for longer than 8 s. Either someone tries passwords, or many users log in at once	log in again in a few seconds. Users who have logged in within ten minutes do not wait. If regshift is behind a proxy, name that proxy in \`REGSHIFT_TRUSTED_PROXIES\`: without it, all clients share one address. A lower cost of the entries (\`htpasswd -B -C 10\`) makes each comparison shorter	Too many logins wait to be checked here, and this one was not checked.
	a fault of regshift, or the system allows no more threads or memory	log in again in a few seconds: another thread starts. The log has the reason in the line \`the thread that compares passwords ended\`	The password could not be compared: the thread for it ended.
	\`REGSHIFT_CLIENT_AUTH=jwt\`	\`docker login -u jwt --password-stdin <proxy>\`	Log in with a JWT as the password, under any user name (docker login).
	the JWT is too old	get a new one	The JWT has expired … log in with a new JWT.
	the JWT is for another service, or from another issuer	compare it with \`REGSHIFT_JWT_AUDIENCE\` and \`REGSHIFT_JWT_ISSUER\`	The JWT's claim "…" does not fit
	another key signed the JWT	check \`REGSHIFT_JWKS_URL\` or \`REGSHIFT_JWKS\`	The JWT is not signed by a key of this proxy
	regshift does not support the algorithm of the JWT	use RS256, ES256 or EdDSA	The JWT is not signed by …
	the login is a password, or a truncated JWT	send the whole JWT	The login is not a JWT that can be read
	the issuer's server does not respond; keys that were read once are used for 70 minutes	check it; the log has the cause (\`the keys at REGSHIFT_JWKS_URL cannot be read\`). Or set the keys in \`REGSHIFT_JWKS\`	Logins cannot be checked now: the keys at … (REGSHIFT_JWKS_URL) could not be read.
	the registry requires a login, and \`REGSHIFT_UPSTREAM_AUTH=anonymous\` sends none	set \`passthrough\`, or an account of the proxy	regshift asks upstream … without a login …
	\`Upstream answered 401\`: the registry refuses the proxy's account. \`403\` or \`404\`: the account may not read this	for 401, check the password of the account (\`REGSHIFT_UPSTREAM_PASSWORD\`, the Docker configuration or the helper); at the start, the log has \`the registry cannot be used\`. For the others, give the account the right to pull	regshift asks upstream … with an account of its own …
	the repository is private	\`docker login <proxy>\`	gives no token without a login: log in
	the token server refused the login	check it. For Docker Hub, use an access token as the password	The token server … (it answered …).	refused the login: check user name, password and the right to pull
	the token server refused the proxy's account	check \`REGSHIFT_UPSTREAM_USERNAME\` and \`REGSHIFT_UPSTREAM_PASSWORD\`	refused the proxy's own account: check its user name, password and right to pull
	the token in \`REGSHIFT_DOCKER_CONFIG\` is no longer valid	run \`docker login\` again; regshift reads the file again. Restart it if the configuration is in a variable	refused the proxy's own identity token: log in again, and check the right to pull
	a credential helper or a cloud gives no login; the message says what was found	do what the message says. networks.md has the permissions that each cloud needs	The login for upstream is not to be had: …
	a credential helper, or the login service of a cloud, took more than 30 seconds	run the helper yourself, or check the network to the cloud	… did not answer in time.
	a cloud refuses a login because the clocks differ by more than five minutes	set the clock of the machine right (NTP)	…, and the clock of this machine is … the clock there
	the registry of a cloud sends to a token server at another origin	check that \`REGSHIFT_UPSTREAM\` is the registry itself, and that no proxy changes its responses	names a token server elsewhere, and the proxy's login is for the registry alone, refused
	the cloud names a file for the role of the pod, and regshift cannot read it	mount it into the container, readable for the user of regshift	The file that … names cannot be read
	the token server limits logins	wait	limits requests. Try again later.
	the proxy's account has no name or password	set the variables that settings.md lists for that setting	REGSHIFT_UPSTREAM_AUTH is …, and what it needs is not set.
	the proxy's account has no name or password, for the proxy's users	set the variables that settings.md lists for that setting	REGSHIFT_CLIENT_AUTH is …, and what it needs is not set.
	\`REGSHIFT_TOKEN_RELAY=never\`, or the proxy uses its own account	clients need no token here: they log in at the proxy	This proxy gives out no tokens.
	the identity token that \`docker login\` keeps has ended, or is of another registry	\`docker login\` at the proxy	The token server of the registry refused the identity token: log in again (docker login).
	a client sent another kind of request for a token	log in with user name and password	A POST for a token needs the grant_type password or refresh_token. Log in by GET with Basic otherwise.
	its form is too large, or did not arrive in time	report it to the maker of the client	The form of the request for a token …
	the registry uses Basic, or no login at all	nothing: the client needs no token	Upstream names no token server, so there is no token to be had here.
	the registry sends another secret, or none	correct it in the registry; docker-registry then sends the waiting notifications	Notifications need the secret of REGSHIFT_EVENTS_SECRET.
	a browser or a program asked for \`/events\` by another method; notifications are on	nothing: the registry sends \`POST\`	Registries send notifications to this path by POST.
	\`?route=\` in the address names no route	use one of the named ids	There is no route … here. The routes are …
	another program sends it, or another version	use a format of events.md	This is no notification of docker-registry, Harbor or zot that regshift knows
	the sender, or a proxy before regshift, is wrong	check both	The notification is no JSON, or broke off before its end.
	a manifest of more than a megabyte	nothing	The notification has more than … bytes, the most that regshift reads. Its image is made at its first pull.
	16 notifications are being read	nothing: docker-registry sends it again	As many notifications as may be are read at this moment. Send it again in a few seconds.
	the registry refused the request; its code and message follow. For a 400 of a gateway, the message says that it speaks TLS at this port, or that it wants a client certificate	see the message	Upstream answered … for the …
	a command asked a registry, or \`warm\` a proxy, by \`http://\`, and it speaks TLS there	write \`https://\` before the name, or in \`--proxy\`	…: this registry speaks TLS: use https://.
	a command of the command line asked a registry by \`https://\`, which it does not speak	write \`http://\` before the name, or use \`--plain-http\`	…: this registry speaks plain HTTP: use http:// or --plain-http.
	a command of the command line asked a registry by \`https://\`, which it does not speak, with a certificate of an unknown authority	\`--ca file\`, or \`REGSHIFT_UPSTREAM_CA\`	…: its certificate is not trusted: name its authority with --ca, or use --tls-verify=false.
	the connection failed. Other network errors have the same form, each with its own advice	try \`curl\` to \`REGSHIFT_UPSTREAM\` from the same machine	… came to nothing ( … ECONNREFUSED … nothing listens there; check that it runs, and the port …).
	regshift has no file descriptor for another connection; the registry may be well	raise the limit, or lower \`REGSHIFT_MAX_REQUESTS\`	this process has too many open files; raise its limit (ulimit -n, LimitNOFILE)	this machine has too many open files; raise its limit (fs.file-max)
	all local ports to this address are in use, or this machine has no address of its kind (IPv6)	close connections of other programs, or give the machine more ports (\`net.ipv4.ip_local_port_range\`)	no local port or address is free for it; check the number of connections
	a push or a deletion got a redirect, and regshift does not repeat it elsewhere	set \`REGSHIFT_UPSTREAM\` to the new address	Upstream answered the … with a redirect (…), which is not followed. If the registry has moved, configure its new address.
	the registry accepted an upload without naming its digest	report it to the registry's operator	Upstream took a blob of … and did not say which.
	\`REGSHIFT_UPSTREAM\` has \`https://\` for a port without TLS	write \`http://\`, or give the registry a certificate	it does not speak TLS; check https:// against http://
	the registry's certificate does not have the host name of \`REGSHIFT_UPSTREAM\`	use a name of the certificate	its certificate is for another name; check the host name
	the registry's certificate is too old, or the clock of this machine is wrong	renew it	its certificate has expired
	the outbound proxy of regshift refuses the request; the message has the reason	correct the proxy's URL, ask its operator, or name the registry in \`NO_PROXY\` (networks.md)	the outbound proxy … failed: …
	a private authority signed the registry's certificate, or the registry does not send its intermediate certificates	\`REGSHIFT_UPSTREAM_CA=/etc/ssl/your-ca.pem\`, for one route or for all (networks.md)	its certificate is not trusted; name its authority in REGSHIFT_UPSTREAM_CA or NODE_EXTRA_CA_CERTS
	the registry ended the TLS handshake, as servers do that require a certificate	set both (networks.md); without such a requirement, the registry and Node have no cipher in common	it may want a client certificate; set REGSHIFT_UPSTREAM_CERT and REGSHIFT_UPSTREAM_KEY
	nginx in front of the registry requires a certificate, and says so with 400	set both (networks.md)	it wants a client certificate; set REGSHIFT_UPSTREAM_CERT and REGSHIFT_UPSTREAM_KEY
	the registry is behind Cloudflare, or regshift is a Worker, and Cloudflare does not reach the registry. A Worker reaches no IP address (1003) and no private network	do what the message says. Cloudflare explains other numbers	error … of Cloudflare, in place of the registry
	\`REGSHIFT_UPSTREAM\` has \`http://\` for a port with TLS	write \`https://\`	it speaks TLS there; check http:// against https://
	the registry does not know the authority of the certificate, or the certificate has expired	show the registry's operator the certificate	it refuses the client certificate; check REGSHIFT_UPSTREAM_CERT
	the registry offers TLS 1.1 or older	update the registry, or put a server with TLS 1.2 in front of it	it does not speak TLS 1.2 or later; update it
	the page ends a look-up before \`REGSHIFT_UPSTREAM_TIMEOUT\`, which is the limit of a pull	check the registry. A slow one answers a second look-up sooner, because regshift remembers what it has read	The registry took longer than the … s that this page waits for it. Check that it is healthy, and try again.
	the server took longer than the limit (networks.md). No setting changes the limit of a cloud's login (10 s) and of an address that another one can stand in for (8 s)	check the server	had no answer within … s. Check that it is healthy, and try again.
	the registry, its storage or its token server took longer than the limit (networks.md)	check it, or raise \`REGSHIFT_UPSTREAM_TIMEOUT\`	had no answer within … s. Check that it is healthy, and try again. REGSHIFT_UPSTREAM_TIMEOUT sets the limit.
	a push to the registry did not go on for 10 minutes	check the registry and the proxies in front of it	stood still: no byte was sent or received for … s. Check that it is healthy, and try again. A REGSHIFT_UPSTREAM_TIMEOUT above 600 raises the limit.
	a push to the registry did not go on for 10 minutes, for a request that several clients share	check it	Upstream took too long to answer. Try again.
	the registry's \`/v2/\` did not respond	check it	Upstream took too long to name its token server.
	the conversion reached its deadline	pull again: regshift keeps finished parts	The conversion took too long. Try again.
	the registry stopped sending a layer	pull again	stood still for … s after … bytes. Try again.
	the registry, or a proxy in front of it, sends a layer extremely slowly	pull again; check the registry and its proxies	Of layer … no more than … bytes came in … s: nobody waits for the rest. Try again.
	a layer takes longer than ten minutes and a second for each 4 KiB	test the connection: \`curl\` the blob from the same machine	The registry sent … bytes of layer … in … s, which is too slow to read it. Check the line to the registry, and try again.
	the registry sent the beginning of a manifest, a config or a list, but not its end	check it, and the proxies in front of it	Upstream began to send … and did not end within … s. Check that it is healthy, and try again.
	the connection ended too early	pull again; check the limits of proxies in front of the registry	Upstream broke off before … was complete. Try again.
	the connection broke six times within one MiB of a layer or config	pull again; check the limits of proxies in front of the registry; see the log of the registry	Upstream broke off before … was complete, and again each time that regshift requested the rest from byte …. Try again.
	the registry or a proxy answers \`Range\` wrongly, or has another content by now	pull again; check the limits of proxies in front of the registry; see the log of the registry	Upstream broke off … at byte …, and its response to the request for the rest has …, which does not fit. Try again; if the error stays, check the registry and the proxies in front of it.
	the length of the content was wrong	pull again; check the limits of proxies in front of the registry; see the log of the registry	Upstream sent … bytes of … and had announced …. Try again.
	nginx or a CDN compresses responses of the registry	set \`gzip off\` there	Upstream sent … with Content-Encoding … though it was asked for identity. Switch off compression in front of the registry.
	the registry redirects in a loop	report it to the registry's operator	is at the end of … redirects and redirects once more
	the redirect would leave TLS	report it to the registry's operator	redirects from https to http (…), which is not followed
	a redirect, an upload location or a token server of the registry leads to an address on this machine, on its link or in a private network, while the registry itself is farther away (security.md)	if the registry really has its storage or its token server there, add the address to \`REGSHIFT_UPSTREAM_NETWORKS\`; the log has it at \`warn\`. Otherwise report it to the registry's operator	… names …, whose address is …, and its own address is …: regshift does not connect there. If this is meant, add the address or its network to REGSHIFT_UPSTREAM_NETWORKS.
	logins go only to the configured registry	set \`REGSHIFT_UPSTREAM\` to the new address	redirects to …, which asks for a login (401); credentials are for … only. If the registry has moved, configure its new address.
	a manifest or config has more than 4 MiB, or the response is not from a registry	check the server at \`REGSHIFT_UPSTREAM\`	Upstream sent … for …; at most … bytes are read.
	one page of a list has more than 1,000,000 tags or 200,000 repositories	request pages with \`?n=\`; delete tags	Upstream sent a … with more than … names.
	the response of the registry is invalid	report it to the registry's operator	Upstream sent the … without a body.
	a list of tags or repositories has more than 500 levels of brackets, 200,000 values besides the names, or 4 MiB without a name	check \`REGSHIFT_UPSTREAM\`	Upstream sent a … with ….
	the list of tags or of repositories is not from a registry	check \`REGSHIFT_UPSTREAM\`	Upstream's … is not JSON.
	a fault of regshift	report it, with the log	regshift could not answer this request; its log says why.
	regshift is part of another app, and a middleware of that app read the body of a push	let regshift handle its paths before that middleware (embedding.md)	The app around regshift has read the body of this request: give regshift its requests before anything reads them.
	a fault of regshift, or of a program that uses its library	let regshift handle its paths before that middleware (embedding.md)	A … is read from its bytes	There is no such form	What is signed is no JSON object with members	Schema 1 is written from a config	The config of the image is needed to tell its v1 ids	An index was expected	An image was expected	A path for upstream does not begin with /v2/.	There is no client for this job.
	the line has \`use\` (\`read\` or \`write\`) and \`reason\`: the disk is full or slow, or its rights are wrong	see \`reason\`; check the folder of \`REGSHIFT_STORE\`	the store of layers failed; the layer comes from the registry
	the layer is larger than the whole store may be	raise \`REGSHIFT_STORE_BYTES\`	it has more than … bytes (REGSHIFT_STORE_BYTES)
	the layer is larger than the disk of the folder	give the folder a larger disk	it has … bytes, and the file system has room for …
	the store took less than 4 MB a second, while regshift waited for it	use a faster disk, or a bucket that is nearer	it took … bytes in … s
	the store did not answer in time	check the disk, or the network to it	no answer in … s
	the file system of the folder hangs, like an NFS whose server is away	check the file system (store.md)	a file operation took more than … s	the folder does not answer: … file operations hang
	at the start, the folder could not be made, read or written	give the user of regshift the rights to it	the store of REGSHIFT_STORE cannot be used; layers come from the registry
	old layers could not be removed	give the user of regshift the rights to it	the store of layers cannot make room
	a file or an object had another length than its layer	nothing; if it happens again, check the disk	a stored layer is damaged and was removed
	the S3 server refused the request; its status, code and message follow. Other codes have their own advice	see the message	Create the bucket, or correct its name in REGSHIFT_STORE
	the S3 server did not answer	check it, and the network	… to … had no answer within … s
	a gateway or another program answered in place of the S3 server	correct \`endpoint\`	The bucket sent no list of objects. Check that endpoint in REGSHIFT_STORE is an S3 server, and the proxies in front of it.
	the connection broke while \`regshift store verify\` read the layer	run the command again	The bucket broke off the stored layer … after … bytes. The layer stays.
	\`REGSHIFT_STORE\` is like \`file:layers\`, which could mean any folder	name the whole path	must have an absolute path, like file:///var/lib/regshift
	\`REGSHIFT_STORE\` names a file, a device, or a place in a folder that is not there	correct the path, or make the folder	must name a folder, and … is …	must name a folder, or a new one in an existing folder, and … is …	must name a folder, or a new one in an existing folder, and … is not there
	\`regshift store\` makes no folder	start \`regshift serve\`, or correct \`REGSHIFT_STORE\`	The folder of REGSHIFT_STORE is not there, so it has no layers.
	\`REGSHIFT_STORE\` is \`file://…\` on a Worker	use R2 or S3 (store.md)	must not be a folder on Workers, which have no disk: bind a bucket of R2 as LAYERS
	\`regshift store\` reads the settings of \`serve\`	set it in the environment, or name the file in \`REGSHIFT_CONFIG\`	REGSHIFT_STORE is not set. Set it as for serve, like file:///var/lib/regshift.
	the store is a bucket with rules	set the rules at the bucket	This store has rules of its own for what it removes.
	the bytes were changed, in the registry's storage or on the way	push the image again; check for proxies that rewrite responses	is not what its digest says, so it is not used
	the manifest has the fields of an image and of an index	find out which tool made it	can be read in two ways (CVE-2021-41190), so it is not read at all
	the manifest has the fields of an image and of an index	find out which tool made it	The manifest says one type and has the shape of another (CVE-2021-41190), so it is not read
	two keys differ only in upper and lower case	find out which tool made it	A key can be taken for another one, as programs in Go do (CVE-2021-41190)
	an object has the same key twice	find out which tool made it	twice in one object, so two programs can read two things
	a server in front of the registry, or another server in its place, answered with words of its own and the status 200	read them with \`curl\` at the registry; wait until its maintenance is over	Upstream sent a document of the type …, which is no manifest, as the …. Check that REGSHIFT_UPSTREAM names a registry, and what is in front of it. Try again.
	a login page or a proxy responded in place of the registry	read them with \`curl\` at the registry; wait until its maintenance is over; see the page with \`curl\`	Upstream sent a web page (text/html) as the manifest … of …. Check that REGSHIFT_UPSTREAM names a registry, and that nothing in front of it asks for a login.
	the document is not valid JSON	push the image again	is not JSON: line …, column …
	schema 1 was changed after it was signed	push the image again	A signature of the schema 1 manifest does not hold, so the manifest is not used
	the parents of the entries of a schema 1 manifest do not match	push the image again	The chain of v1 images is broken
	a schema 1 manifest without entries	push the image again	The image has no history
	the config of a Linux image names a base layer that is not in the image	build the image again	Only a Windows image can name a base that it does not contain
	the tool that made the generic manifest is faulty	build the image again	The config and the generic manifest disagree on the layers
	the content is none of the forms that regshift knows	see it with \`curl\`; find out which tool made it	The document is no manifest of a known dialect
	the index leads to itself, or to another index where an image must be	find out which tool made it	The index contains itself	The index names another index instead of an image.
	a schema 1 manifest has more than a client needs	push the image again	The manifest has too many signatures
	a field of the manifest is damaged	push the image again	The … of a signature is not base64url	A digest cannot be read
	schema 1 states neither sizes nor a config, and the layers were not read	pull again; the log has the reason why the layers were not read	The size of a layer is not known, and this form must state it	A schema 1 image has no config; its layers must be read to make one	The image is stored as schema 1, which has no config
	the tool that made the image is faulty	build the image again	The config and the manifest disagree on the number of layers
	the history names more layers than there are	build the image again	The history does not account for the layers
	the decompressed layer does not match its diff_id	build the image again	is not what the config says it is, unpacked
	the decompressed layer does not match its diff_id, for a zstd layer	build the image again	should unpack to … bytes); found …
	the upload was cut	push the image again	is cut short: its zstd ends before the last frame does. Push it again.
	regshift cannot decompress the layer	push the image again	is broken … Push it again.
	the layer is compressed with xz or bzip2, which the standards do not allow	compress it with gzip	is packed with …; only gzip, zstd and plain tar are read.
	decompressing the layer takes that much memory	compress it again without \`--long\` and \`--ultra\`	needs a zstd window of … bytes; at most … are given to one here. Compress it again without --long and --ultra.
	the layer is compressed with a dictionary	compress it without a dictionary	needs a zstd dictionary, which no client has.
	the layer decompresses to more than 2 GiB, and to more than 250 times its size	find out which tool made it	that is a decompression bomb, or of no use.
	in the log, and as 502: the layer for a client that verifies nothing does not match its digest or its size; the client sees \`unexpected EOF\` or 502	push the image again	should be … bytes); found …
	the layer does not match its digest	push the image again	came with other content: … Try again.
	the Node that starts regshift is too old. The exit code is 78	install a newer Node, or use the container; in a clone, \`npm ci\` brings one for \`npm start\` and \`npx regshift\`	regshift needs Node … or newer; this is …. Install a newer Node, or run regshift in a container; in a clone, "npm ci" installs a newer Node for "npm start" and "npx regshift".
	\`REGSHIFT_UPSTREAM\` is not set, and \`NODE_ENV\` is \`production\`, as in the container and the systemd unit; or regshift is a Worker or in an embedded app. An environment of \`wrangler.toml\` does not inherit \`[vars]\`: it needs its own	set \`REGSHIFT_UPSTREAM\`	must be the URL of your registry, like https://registry.example, because NODE_ENV is production. For the built-in sample registry, set REGSHIFT_UPSTREAM=sample	…, in an embedded app. For …
	\`HOST\` is \`999.1.1.1\`, \`[::1]\`, \`127.0.0.1:8080\` or the like	correct \`HOST\`. \`PORT\` has the port	must be an IP address or a host name, without scheme and port: 0.0.0.0 for all addresses
	\`REGSHIFT_METRICS_PORT\` is \`PORT\`, or the port of a route	use another port	must be another port than …: metrics and clients cannot share one. Set it to a free port, like …
	a number is not written in decimal digits alone: \`30s\`, \`1e3\`, \`0x50\`	write it in digits	must be a whole number of …	must be a whole number from 0 to 65535
	\`REGSHIFT_WARM\` names a program that regshift does not know, or a version that no client has (\`docker-99\`)	use the names in the message	must be clients with commas between them, of …, or none; … is no client
	the name of a variable or a key is misspelt	use the name in the message	is not a setting: did you mean …?
	no setting has a similar name	see settings.md, or remove the variable	is not a setting: docs/settings.md lists all
	Kubernetes gives each pod variables for the Services of its namespace	set \`enableServiceLinks: false\`, as in the manifests	is not a setting: Kubernetes sets it for a Service with the name regshift; set enableServiceLinks: false in the pod
	the file does not exist (\`ENOENT\`), or the user of regshift may not read it (\`EACCES\`)	correct the path, or its rights	must be the text itself, or a path to a file that can be read
	the value is neither the text that the setting needs nor the path of a file, like \`localhost:6379\` in \`REGSHIFT_REDIS_URL\`	write a value like the example in the message	begins with no known scheme and is no file	begins with no { and is no file	has no user:hash and is no file	has no -----BEGIN line and is no file	must be a path like /etc/regshift.yaml, or the settings as JSON
	\`REGSHIFT_SIGNING_KEY\` names a file that cannot be read	write a value like the example in the message	is neither a key nor a path to a readable file
	\`REGSHIFT_SIGNING_KEY\` is no P-256 private key (JWK or PEM)	create one by \`regshift keygen\`	The signing key cannot be read
	another program listens at \`HOST\` and \`PORT\`. For the port of a route, the message names its \`match.port\`. On Linux, the message has its name and process, if it belongs to the same user. The exit code is 1	see the message	regshift cannot start: port … is in use by …: end that program, or set PORT to a free port
	ports below 1024 need a right (\`CAP_NET_BIND_SERVICE\`)	use another port, or put a proxy in front	the system does not let this user listen on port …: set … to 1024 or more
	\`HOST\` is an address of another machine, or an unknown name	see the message	which is no address of this machine: set HOST to one of its own, or to 0.0.0.0 for all
	only regshift on Node has this setting	remove it, or use \`regshift serve\` (embedding.md)	must be left out on Workers, …	must be left out in an embedded app, …
	\`REGSHIFT_STORE\` is \`file://…\` in an embedded app	use a bucket	must not be a folder in an embedded app, which uses no disk: name a bucket as s3://bucket/prefix?region=…
	a Worker or an embedded app cannot use the role of a machine	set the key that the message names	must be set …, where no machine has a role, because …
	the setting names a file, on Workers or in an embedded app	set the text itself	must be the text itself: there are no files here	must be left out: there are no files here
	the credential helper in \`REGSHIFT_DOCKER_CONFIG\` is missing. The exit code is 1	install it	docker-credential-… is not in the PATH: install it where this program runs
	the value is no number, has a unit like \`30s\`, or is outside of its limits	write the number without a unit; \`docs/settings.md\` has the unit	must be a whole number of …	must be … or more …	must be at most … …	must be a whole number from 0 to 65535	must be a number
	the value is no number of bytes, or has another unit, like \`10G\`	write the bytes, or a unit: \`kB\`, \`MB\`, \`GB\` and \`TB\` count in 1000, \`KiB\`, \`MiB\`, \`GiB\` and \`TiB\` in 1024	must be … or more bytes, as a whole number or with a unit, like 10GB or 10GiB	must be a number of bytes, or text with a unit, like 10GB or 10GiB
	a program gives \`createApp\` a function, a symbol or an object of a class, like \`new URL(…)\`; on Workers, a binding has the name of a setting	give the text, like \`url.href\`	must be text, a number, true, false, or an object of JSON	must be text, a number, true or false
	on Workers, \`RECIPES\` is no KV namespace, or \`LAYERS\` is no bucket of R2	correct the binding in \`wrangler.toml\`	must be bound to …, or left out (deploy/cloudflare.md)
	an app around regshift gives \`fetch\` or \`handles\` the request of another library, or none	make a \`Request\` as embedding.md shows	regshift needs a Request of the web, and got …: for Express, Fastify and node:http, getRequestListener of @hono/node-server makes one (docs/embedding.md)
	a Worker around \`regshift/worker\` calls \`fetch\` without \`env\`	pass \`env\` on	must be the second argument of fetch: the bindings of the Worker, with the settings (docs/embedding.md)
	\`REGSHIFT_UPSTREAM\` or \`REGSHIFT_PUBLIC_URL\` is a host without \`https://\`	write the whole address, like \`https://registry.example\`	must be a URL that begins with http:// or https://, like https://registry.example
	the address has \`?\` or \`#\`	remove that part	must have no query and no fragment
	the address has a login in it	set \`REGSHIFT_UPSTREAM_AUTH=basic\` with \`REGSHIFT_UPSTREAM_USERNAME\` and \`REGSHIFT_UPSTREAM_PASSWORD\`	must hold no user name or password: they would end up in logs
	\`REGSHIFT_UPSTREAM\` is the address of the website	write \`https://docker.io\`	must be https://docker.io for Docker Hub: hub.docker.com is its website, and no registry
	\`REGSHIFT_UPSTREAM_PROXY\`, \`HTTP_PROXY\` or \`HTTPS_PROXY\` has another form, such as a SOCKS proxy	write the address of an HTTP proxy, or \`none\` in \`REGSHIFT_UPSTREAM_PROXY\` (networks.md)	must be the URL of an HTTP proxy, like http://proxy.example:3128
	a value of \`REGSHIFT_UPSTREAM_ALIASES\` has a path, or lacks \`http://\`	correct the value that the message names	must be addresses like http://registry.internal:5000 without a path, divided by commas; … is none
	a value of \`REGSHIFT_TRUSTED_PROXIES\` or \`REGSHIFT_UPSTREAM_NETWORKS\` is no IP address; names of hosts are not possible there	write the address or its network	must be addresses or ranges like 10.0.0.0/8 or fd00::1, divided by commas; … is none
	\`REGSHIFT_PLATFORM\` has another form, like \`amd64\` alone	write \`linux/amd64\`	must be os/architecture or os/architecture/variant, like linux/arm/v7
	\`REGSHIFT_REPOSITORIES\` has upper-case letters, or a \`**\` beside other text	correct the pattern	must be patterns with commas between them, like library/*, team/** (* is one part of a name)
	a part of \`REGSHIFT_ALIASES\` is no pair of names; the message names it. In a file, the form has a colon	correct the pair	must be pairs like short/name=real/long/name with commas between them	must be pairs like short/name: real/long/name
	\`REGSHIFT_WARM\` names a client that regshift does not know	use the ids that the message lists	must be clients with commas between them, of …, or none; … is no client
	\`REGSHIFT_EVENTS_SECRET\` is too short to be a secret	use the output of \`openssl rand -hex 32\`, here and in the registry	must have 16 characters or more, and no spaces: a random text, like that of openssl rand -hex 32
	\`REGSHIFT_CLIENTS\` has another form; the message names the place	compare it with the examples in clients.md	must be a rule like {"match":{"userAgent":"app/*"},"lacks":["oci"]} as JSON, or a list of such: … …	must be a rule: an object with match, and with lacks, platform or format	must be an object with userAgent, network or both	must be a list of rules	must have at least one rule
	\`userAgent\` of a rule is empty, or too long	write a shorter pattern; \`*\` stands for any text	must be a pattern of User-Agents, like python-requests/* (* is any text)	must have 200 characters at most
	\`network\` of a rule is no network, or is smaller than one IPv6 subscriber gets	write a network	must be a network like 10.1.0.0/16 or fd00::/64, or a list of such; of IPv6, /64 or larger
	\`lacks\`, \`format\` or \`platform\` of a rule has an unknown value	use a value that the message lists	must be of …	must be a list of …	must be one of …	must be like linux/arm/v7
	an earlier rule of \`REGSHIFT_CLIENTS\` matches every request of a later one. Rules count from 0	put the special rule before the general one	must have no rule that no request reaches: rule … matches all that rule … does
	a rule has only \`match\`	add \`lacks\`, \`platform\` or \`format\`, or remove the rule	must have an effect in each rule: rule … needs lacks, platform or format
	\`REGSHIFT_STORE\` has another form	write one of the two (store.md)	must be file:///path/of/a/folder, or s3://bucket/prefix?region=eu-central-1 (with &endpoint=https://host for other servers than AWS)
	\`REGSHIFT_STORE\` is \`file:///\`. regshift removes old files in its folder	name a folder that nothing else uses	must be a folder of its own, and not the root
	the address of the bucket has an unknown parameter	remove it	must have no parameter …: there are endpoint and region
	the address of the bucket has a login in it	set the two variables	must hold no login: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give a role
	the address has neither \`region\` nor \`endpoint\`	add \`?region=…\`	must have a region for AWS, like s3://bucket/prefix?region=eu-central-1
	\`REGSHIFT_REDIS_URL\` has another form	write one of the four (fleet.md). Characters like \`@\` and \`/\` in a password are \`%40\` and \`%2F\`	must be like redis://127.0.0.1:6379/0, rediss://user:password@redis.example:6380 for TLS, redis-sentinel://one.example:26379,two.example:26379/0?sentinelMasterId=mymaster, or redis-cluster://one.example:6379,two.example:6379
	\`redis://\` names several hosts	say whether they are Sentinels or nodes of a cluster	must have one host and port, or begin with redis-sentinel:// or redis-cluster:// (rediss-… for TLS)
	the address of the Sentinels lacks \`sentinelMasterId\`	add the name from \`sentinel monitor\` of their configuration	must name the master as the Sentinels do, like redis-sentinel://one.example,two.example/0?sentinelMasterId=mymaster
	the address has a part that regshift would ignore	remove it	must have no path and no query, because a cluster has only database 0	must have no query other than sentinelMasterId, sentinelUsername and sentinelPassword
	\`REGSHIFT_UPSTREAM_USERNAME\` or \`REGSHIFT_UPSTREAM_PASSWORD\` cannot be sent as a login	check for a stray line break, and for a name and a password in one variable	must hold no colon (RFC 7617) and no control character	must hold no control character but line breaks and tabs, and must not end with one
	\`REGSHIFT_JWKS_URL\`, \`AWS_ENDPOINT_URL_ECR\` or \`AZURE_AUTHORITY_HOST\` is not safe: another machine on the way could read or change what it sends	write an \`https://\` address	must be a URL that begins with https://	must begin with https:// (http:// is for this machine itself)	must be a URL that begins with https:// (http:// is for this machine itself)
	the value is none of these words	use one of them, in lower case	must be on, off or status	must be debug, info, warn or error	must be auto, json or text	must be stop or next	must be true or false	must be auto, schema1, schema2, oci or generic	must be stream or redirect	must be allow or refuse	must be auto, asis, schema2 or oci	must be auto, full or one	must be keep or one	must be keep or drop	must be auto or plain	must be auto, registry or never	must be accept or refuse	must be never or always	must be always or never	must be made or all	must be none, basic or jwt	must be passthrough, anonymous, basic, docker-config, ecr, gcp or acr
	one setting needs another one, which is not set	set it; the message says to what	must be, because … is …: …	must be, because REGSHIFT_CLIENT_AUTH is jwt: the address of the issuer's keys (or REGSHIFT_JWKS: the keys)
	the setting belongs to another kind of login	correct the other setting, or remove this one	has no effect unless … is …: set that, or leave this out
	two settings say the same, like \`REGSHIFT_HTPASSWD\` and \`REGSHIFT_HTPASSWD_FILE\`	remove one	must not be, because … is: keep one	must not be, because REGSHIFT_JWKS_URL is: keep one
	a certificate is set without its key, or the key without the certificate	set both	must be set, because … is: they belong together	must be, because … is: TLS needs a certificate and its key, each as PEM or as a path to it
	with an account of the proxy, the registry no longer checks the clients	set \`REGSHIFT_CLIENT_AUTH\` (settings.md)	must be basic or jwt, because with REGSHIFT_UPSTREAM_AUTH=… clients read whatever the proxy's own account may read; set none to allow that to everyone who can reach the proxy
	a client sends one login, and with \`passthrough\` that is for the registry	decide who checks the login: the registry or regshift	must be none with REGSHIFT_UPSTREAM_AUTH=passthrough, because each client's login is for upstream, which checks it: leave this out, or set REGSHIFT_UPSTREAM_AUTH to anonymous or to an account of the proxy (basic, docker-config, ecr, gcp, acr) and … to let the proxy check its clients itself
	a login of one registry must not reach another one	set one of the two	must be anonymous, or docker-config with a login for each that wants one, because REGSHIFT_UPSTREAM names several registries: a login is for one
	\`REGSHIFT_PUSH\` is \`allow\` in front of mirrors	push to the registry itself, or name one registry	must be refuse, because REGSHIFT_UPSTREAM names several registries, and only one would get a push
	\`REGSHIFT_UPSTREAM\` is missing, or is no registry of that cloud	correct \`REGSHIFT_UPSTREAM\` (networks.md)	must be the registry that REGSHIFT_UPSTREAM_AUTH=… logs in to	must be …, because REGSHIFT_UPSTREAM_AUTH is …: its login is for that cloud alone
	the login at the cloud lacks a variable	set it; the message says what it is	must be, because REGSHIFT_UPSTREAM_AUTH is …: …
	\`REGSHIFT_WARM\` has no effect without \`REGSHIFT_EVENTS_SECRET\`	set the secret (events.md)	must be, because REGSHIFT_WARM is: images are made ahead when a registry notifies regshift with this secret (docs/events.md)
	replicas with different keys would not read each other's entries	create one key by \`regshift keygen\`, and set it for all replicas	must be, because REGSHIFT_REDIS_URL is: replicas that share a cache sign with one key. Give all of them the same P-256 private key, or a path to it (openssl ecparam -name prime256v1 -genkey)
	\`REGSHIFT_TLS_CERT\`, \`REGSHIFT_TLS_KEY\` or a \`…_FILE\` variable names a file that does not exist (\`ENOENT\`), or that the user of regshift may not read (\`EACCES\`)	correct the path, or its rights: \`ls -l\`, as the user of regshift. In a container, the file must be mounted	must be PEM, or a path to a file that can be read	must be … to a file that can be read
	the end of such a message: the state of the file	correct the path, or its rights: \`ls -l\`, as the user of regshift. In a container, the file must be mounted	does not exist	may not be read by the user of this process	is a folder
	the file has nothing in it; perhaps another program writes it at this moment	fill it	must not be the path of an empty file
	\`REGSHIFT_TLS_CERT\` is another file, or damaged	name the file with the certificate; DER: \`openssl x509 -inform der -in cert.der\`, PKCS#12 (\`.p12\`, \`.pfx\`): \`openssl pkcs12 -in cert.p12\`	names the file …, which …	has no certificate in PEM	has a private key and no certificate	has a first certificate that cannot be read	is in DER or PKCS#12, and not in PEM	It must be PEM that begins with the certificate of this server
	\`REGSHIFT_TLS_KEY\` is another file, damaged or encrypted	remove the passphrase: \`openssl pkey -in key.pem -out plain.pem\`	has no private key in PEM	has a private key that cannot be read	has an encrypted key	It must be a private key in PEM without a passphrase
	the text has no \`-----BEGIN CERTIFICATE-----\`, or is damaged. DER and PKCS#12 (\`.p12\`, \`.pfx\`) are other forms	convert it: \`openssl x509 -inform der -in cert.der\`, \`openssl pkcs12 -in cert.p12\`	must be one or more certificates in PEM, or a path to them	cannot be read: it must be certificates in PEM
	the key is encrypted, damaged, or no key	remove the passphrase: \`openssl pkey -in key.pem -out plain.pem\`	must be a private key in PEM	cannot be used: it must be a certificate in PEM, with its own key, which is not encrypted
	\`REGSHIFT_TLS_KEY\` is the key of another certificate	put the certificate of this machine before those of its authorities, or name the other key	has a key that does not belong to the first certificate in …	…, but to certificate … there. Put that certificate first
	OpenSSL finds the certificate too weak, for instance because its key is too short	create a new certificate	has a certificate that OpenSSL does not serve, for instance because its key is too short. Make a new certificate
	\`REGSHIFT_SIGNING_KEY\` is no P-256 key; the rest of the message is the reason	create one by \`regshift keygen\`	cannot be used: …
	a line of \`REGSHIFT_HTPASSWD\` cannot be used. Old hashes (MD5, SHA-1, crypt) are not accepted	write that line again: \`htpasswd -B -n <user>\`	must be bcrypt entries: line … …	is not user:hash	is not a bcrypt entry (make it by htpasswd -B)	names a user a second time	has a bcrypt cost of …, and 4 to … are taken
	\`REGSHIFT_HTPASSWD\` has no line with a user	write that line again: \`htpasswd -B -n <user>\`	must hold at least one user: make one by htpasswd -B
	\`REGSHIFT_DOCKER_CONFIG\` is no such file	name the file that \`docker login\` writes	must be JSON like ~/.docker/config.json, or a path to it
	the file has no login for the host of \`REGSHIFT_UPSTREAM\`	run \`docker login\` for that host, with its port	must have an entry in "auths" for …: run docker login there	must have "auth" with the base64 of user:password, or "identitytoken", for …
	\`credsStore\` or \`credHelpers\` has the path or the whole name of the program	write the end of the name only	must name in "…" what follows docker-credential- in a program's name, like ecr-login: letters, digits, dots and hyphens
	\`REGSHIFT_GOOGLE_KEY\` is another file, like the credentials of a user	create a key of a service account	must be the JSON key of a service account as Google made it, or a path to it
	\`REGSHIFT_JWKS\` is another document, or has private keys	take the issuer's public keys, like those at its \`jwks_uri\`	must be a JSON Web Key Set: {"keys": [...]} with public RSA, EC or OKP keys and no private part
	the text has a mistake; for YAML, the message has the path of the file, the line and the column, like \`/etc/regshift.yaml:4:5\`. On Workers, the text must be JSON	correct that line: YAML needs spaces, not tabs	must be YAML or JSON	is wrong (…), in the line of …	has a … that is not closed before …	has an alias without its anchor, or too many aliases: put quotes around a text that begins with *
	the value has another type, like the number \`1234\` for a password	write \`"1234"\`	must be text; put quotes around what is only digits	must be text, or a list of texts	must be text, or an object	must be an object of settings
	\`signingKey\`, \`tlsCert\` or \`tlsKey\` has an empty text	remove the key from the file, or write a value	must not be empty: leave it out, or give it a value
	\`routes\` is empty, or no list	begin each route with \`-\`	must be a list of routes	must have at least one route
	a value of \`match\` has another form	write it as the message says	must be …, or a list of such	must be a port from 1 to 65535, or a list of such
	the setting cannot differ between routes	move it out of \`routes\`	is for the whole program: put it at the top of the file
	\`match\` has an unknown key	use a key that the message lists	is not a setting: …	there are …
	a route has no \`upstream\`, and the top of the file has none	add it	must be the registry of this route
	\`aliases\` is at the top of the file, or in a variable, and there are routes	move it into its route	must stand in the route whose repositories it names
	the route would inherit a \`publicUrl\` that leads clients to another route	set \`publicUrl\` in this route	must stand in this route, because its host or port is one of its own (match)
	an earlier route gets all requests of this one	put the special route before the general one, or correct \`match\`	leads nowhere: an earlier route is for the same
	two routes have one host name, and a client would send the login of one registry to the other	give one of the routes its own host or port (\`match\`)	must be anonymous, or an account of the proxy (basic, docker-config, ecr, gcp, acr), because … is reached by the same host and clients keep one login for a host: it would not be for one upstream alone; …
	two routes with one host name ask clients for different logins	make both equal, or give one its own host or port (\`match\`)	must be the same as in …, with the same users, because both are reached by the same host and clients learn there once how to log in; …	must be the same as in …, because both are reached by the same host and clients get their tokens there in one way
	with \`tokenRelay: never\`, clients ask the registry's token server, which does not know the names of \`match.path\` and \`aliases\`	remove \`tokenRelay\`	must be always here: a token server knows repositories by no other name than upstream
	\`REGSHIFT_CONFIG\` names a KV entry that does not exist	write the entry, or bind the namespace (cloudflare.md)	must be JSON, or a key that there is in the KV namespace bound as RECIPES (deploy/cloudflare.md)
	KV refused the key or did not answer within 10 s. A key has at most 512 bytes; YAML is no JSON	see the reason at the end: write JSON, or wait; regshift reads KV again after 10 s	must be JSON, or a key that there is …; KV could not be read: …
	the setting is a path, and a Worker has no files	set the text itself as a secret	must be …: there are no files here
	the setting has no effect on a Worker	remove it, or run regshift on Node	must be left out on Workers, which connect to registries directly and verify them themselves	must be left out on Workers, where Cloudflare speaks TLS and counts (deploy/cloudflare.md)	must be left out on Workers, which share what they know by Workers KV: bind a namespace as RECIPES (deploy/cloudflare.md)
	on a Worker, regshift cannot get a login from the machine	set the key of an account	must be set on Workers, which have no role of a machine, because REGSHIFT_UPSTREAM_AUTH is …	must be set on Workers, which have no role of a machine, because REGSHIFT_STORE is a bucket of S3
	the Docker configuration names a credential helper	do what the message says	must hold the login itself on Workers: … keeps it, and there are no programs to run. Give a configuration with "auth" in it, or REGSHIFT_UPSTREAM_AUTH=basic
	a variable without the prefix \`REGSHIFT_\` looks like a setting, and that setting is not set	use the name in the message; if another program needs the variable, ignore the line	… is not a setting of regshift: did you mean …?
	the upstream of a route takes precedence over the variable	remove \`REGSHIFT_UPSTREAM\`, or remove \`upstream\` from the routes that are for this registry	REGSHIFT_UPSTREAM has no effect: each route in REGSHIFT_CONFIG has its own upstream.
	the value looks like a misspelt \`production\`	correct it	NODE_ENV is …: did you mean production? Only with NODE_ENV=production does regshift refuse to start without REGSHIFT_UPSTREAM
	regshift asks each registry for \`/v2/\` once when it starts. \`reason\` has the error: nothing listens there, TLS is missing or not expected, the certificate is not trusted, or the server is no registry; or the registry refuses the proxy's own account	correct \`REGSHIFT_UPSTREAM\`, or the login that \`REGSHIFT_UPSTREAM_AUTH\` names. If the registry only starts later, nothing: regshift asks it with each request	the registry cannot be used
	one of several addresses in \`REGSHIFT_UPSTREAM\` has no connection, no response in time, a status of 500 and more, or breaks off in a manifest. \`reason\` has the error	check that registry: the spare is in use now. \`/readyz\` shows the state of each address	a mirror fails, and the others are asked in its place
	the registry of an earlier \`a mirror fails\` is back	nothing	a mirror answers again
	after a restart, schema 1 has another signature; its digest stays the same, because it leaves the signatures out. Pulls by API v1 that are under way at the restart fail. The line is at \`info\` in a single process, and at \`warn\` where processes share a cache	for signatures that stay, run \`npx regshift keygen --out key.pem\` and set \`REGSHIFT_SIGNING_KEY=key.pem\`; on a Worker and in an embedded app, set \`REGSHIFT_SIGNING_KEY\` to the output of \`npx regshift keygen --format jwk\`. Otherwise nothing	REGSHIFT_SIGNING_KEY is not set: schema 1 is signed with a key made at start
	another machine on the way can read and change everything	set \`REGSHIFT_UPSTREAM_CA\` instead (networks.md)	REGSHIFT_UPSTREAM_INSECURE is true: the certificate of the registry is not verified
	a Worker or an embedded app cannot start with its settings or its key. \`problems\` has the list, also the addresses that responses do not show. A Worker looks again after 10 s	see \`problems\`	settings are wrong: every response is 503 with the list of problems
	a Worker without KV	bind a namespace (cloudflare.md)	no KV namespace is bound as RECIPES: other locations have to make again what this one made
	regshift logs each once, the second one where Redis is there again and refuses the login; pulls continued (fleet.md)	check Redis. With \`WRONGPASS\` or \`NOAUTH\` in the reason, check the users and passwords in \`REGSHIFT_REDIS_URL\`, which the Sentinels may have too; with \`No such master\`, check \`sentinelMasterId\`; with \`ECONNRESET\` or \`no answer\` from a server that runs, check \`redis://\` against \`rediss://\`	Redis is away: going on without it	Redis is still away, now for another reason	Redis is back
	\`OOM\`: Redis is full and may drop nothing; \`NOPERM\`: the user lacks a command or a name; \`READONLY\`: it is a replica; \`MOVED\`: it is a node of a cluster; \`unknown command\`: it is a Sentinel, or forbids the command; \`CLUSTERDOWN\`: the cluster has lost slots	set the policy, commands and names in fleet.md	Redis refuses a command: going on without
	\`differing\` names the settings that differ	give all replicas the same settings, or wait for the end of the upgrade	another replica that shares this Redis is set otherwise
	a file is missing, empty or half-written, which may last for a moment while it is replaced	\`reason\` names the setting. If the line is not followed by \`files of the settings have changed: logins and users are read from them\`, correct that file	a file of the settings cannot be used: going on with what it held before
	files were replaced, and regshift uses them	nothing	files of the settings have changed: logins and users are read from them
	a client, a load balancer or a scanner sent a request that regshift cannot read: no usable \`Host\`, a target that does not begin with \`/\` (like \`OPTIONS *\`), two \`Host\` lines, or a body in another transfer coding than chunked. It got 400 or 501 with the \`reason\`. The line is at \`info\`	correct the program at \`address\`, if it is yours	a request was refused unread
	the issuer's server at \`host\` failed with \`reason\`. regshift asks it again with a later login, and uses the keys that it has for an hour more. Logged once a minute at most	check that server, and \`REGSHIFT_JWKS_URL\`	the keys at REGSHIFT_JWKS_URL cannot be read
	a client and regshift made no TLS connection. Logged once a minute for each cause (operations.md)	see \`cause\`: usually the client lacks the certificate of the authority, or the certificate of regshift has expired, has Ed25519, or lacks the name that the client uses	a TLS handshake failed
	the file of \`REGSHIFT_TLS_CERT\` or \`REGSHIFT_TLS_KEY\` changed, and the pair is wrong or half-written	\`reason\` names the setting; write both files	the new certificate cannot be used: the old one is served
	a certificate of the file has a key or a signature of Ed25519	use RSA or ECDSA (certificates)	the certificate in REGSHIFT_TLS_CERT uses Ed25519: Docker up to 19.03.8, and other programs built with Go before 1.13, cannot connect
	the certificate has a common name (\`CN\`) alone	make a certificate with \`subjectAltName\` (operations.md)	the certificate in REGSHIFT_TLS_CERT has no subjectAltName: containerd, podman, newer Docker, and other programs built with Go 1.15 or newer, refuse it
	regshift renews a login before it ends, and tries again every 30 s; pulls continue to its end	see \`reason\`	a cloud gave no new login: going on with the one that it gave before
	the login is about ten minutes old	run the helper yourself	a credential helper failed: going on with the login that it gave before
	a registry notified regshift of a push (events.md)	nothing	an image was made ahead of its first pull
	\`reason\` says why	nothing, or what the reason says	an image could not be made ahead; it is made at its first pull
	with \`passthrough\` and \`anonymous\`, regshift has no login for images that no client requests. Logged once for each route	give regshift an account, or nothing	nothing is made ahead for a route: its registry asks for a login, and regshift has none of its own
	1,000 images wait. Logged once a minute at most; \`regshift_warmed_total\` counts them	name fewer clients in \`REGSHIFT_WARM\`	too many images wait to be made ahead; further ones are made at their first pull
	the sender got 401	correct the secret in the registry, if it is yours	a notification came without the secret of REGSHIFT_EVENTS_SECRET
	several upstreams, and the event names none of them; or \`REGSHIFT_REPOSITORIES\` excludes it	add \`?route=<id>\` (events.md)	an event is about a repository that no route serves, or its route is not certain
	standard output took no lines for so long that more than 16 MB waited. \`count\` is the number of dropped lines	look for the program that reads the log, and at the space of its disk	lines of the log were dropped: its reader is too slow
	the terminal that regshift was started in is gone	to keep regshift running, start it as a service, or with \`nohup\`	stopping: the terminal was closed
	more than 100	send fewer in one notification	a notification has more events than regshift reads
	a redirect or a token server of the registry leads into a private network	see the message \`… names …, whose address is …\` above	upstream names an address that regshift does not connect to
	the \`fetch\` of the app around regshift threw an error, which \`reason\` has, or gave no \`Response\`; clients get \`… came to nothing …\`	correct that \`fetch\` (embedding.md)	the fetch that createApp was given fails
	the \`waitUntil\` of the app around regshift threw an error, which \`reason\` has; logged once. \`Illegal invocation\` on Workers: a \`ctx.waitUntil\` was given without its \`ctx\`. Work in the background may end with its request	give \`waitUntil\` of \`cloudflare:workers\`, or \`(work) => ctx.waitUntil(work)\` (embedding.md)	the waitUntil that createApp was given fails
	a tag cannot be converted for Docker 1.3 to 1.5; \`reason\` says why. The other tags are in the response	see \`reason\`	tag left out of API v1
	the repository has more than \`REGSHIFT_V1_TAGS\` tags (\`left\`), or the registry was too slow for some (\`late\`)	raise \`REGSHIFT_V1_TAGS\`	not all tags are in an answer of API v1
	a response ended before its last byte; \`reason\` says why	see \`reason\`; the client pulls again	an answer broke off
	a fault of regshift; the line has the stack	please report it	request failed
	the system allows no more memory or threads, or a fault of regshift	see \`reason\`; another thread starts with the next login	the thread that compares passwords ended
	at the stop, \`cut\` responses took longer than \`REGSHIFT_SHUTDOWN_DEADLINE\`	raise it, if layers are large	stopping: answers were cut at the deadline
	a cache of Cloudflare failed, or did not answer within 3 s, after which it rests for 5 s; pulls continue	nothing; if it stays, see Cloudflare's status	the Cache API could not be read; going on without it	the Cache API could not be written; going on without it	KV could not be read; going on without it	KV could not be written; going on without it
	a fault of regshift. Only the last one ends the process	please report it, with the line	a request to upstream ends: an event of it could not be handled	a connection ends: an event of it could not be handled	a promise was rejected, and nothing has handled it	the process ends: nothing has caught an exception`;

export const errorEntries: readonly ErrorEntry[] = lines
  .slice(1)
  .split('\n')
  .map((line) => {
    const [client = '', why = '', remedy = '', ...texts] = line.split('\t');
    return { texts, client, why, remedy };
  });
