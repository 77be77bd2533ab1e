/** The tools that `capture.ts` runs, with the command that prints each one's version. */
export const tools: Readonly<Record<string, string>> = {
  buildah: 'buildah --version',
  podman: 'podman --version',
  skopeo: 'command skopeo --version',
  umoci: 'umoci --version',
  docker: "docker version --format 'dockerd {{.Server.Version}}'",
  'docker-registry': 'docker-registry --version',
  containerd: 'ctr --version',
  'stargz-snapshotter': 'ctr-remote --version',
  charliecloud: 'ch-image --version',
  imagebuilder: 'imagebuilder --version 2>&1 || dpkg-query -W openshift-imagebuilder',
  containerify: 'containerify --version',
  'sigstore-js': 'echo @sigstore/oci 0.7.2',
  flatpak: 'flatpak --version',
  'oras-go': 'dpkg-query -W golang-oras-oras-go-dev',
  'devcontainers-cli': 'echo @devcontainers/cli $(devcontainer --version)',
};

/** The command lines that write an image, by its name. `$TO` is where it goes. */
export type Recipes = Readonly<Record<string, string>>;

/** Commands that the recipes of a tool share. */
export const preludes: Readonly<Record<string, string>> = {
  buildah: `
    base() { c=$(buildah from scratch); buildah add $c one /one; }
    send() { buildah push "\${@:2}" "$1" docker://$TO; }
    keep() { buildah commit "\${@}" $c kept; }`,
  podman: `
    file() { cat > Containerfile; }
    build() { podman build -q "$@" -t localhost/made .; }
    send() { podman push "$@" localhost/made docker://$TO; }`,
  skopeo: `
    source() { c=$(buildah from scratch); buildah add $c one /one; buildah config --cmd /one --env A=b $c; buildah commit "$@" $c source; }
    layout() { buildah push source oci:layout:it; }`,
  umoci: `
    umoci init --layout layout; umoci new --image layout:it
    it() { umoci "$1" --image layout:it "\${@:2}"; }
    send() { skopeo copy --preserve-digests oci:layout:it docker://$TO; }`,
  docker: `
    build() { cat > Dockerfile; DOCKER_BUILDKIT=\${KIT:-0} docker build -q "$@" -t $TO .; docker push -q $TO; }`,
  'docker-registry': `
    build() { cat > Dockerfile; DOCKER_BUILDKIT=0 docker build -q "$@" -t $R/source/$NAME:latest .; docker push -q $R/source/$NAME:latest; }
    old() { curl -sf -H Accept: http://$R/v2/source/$NAME/manifests/latest > old.json; skopeo copy --format v2s1 docker://$R/source/$NAME:latest docker://$R/docker-registry/$NAME:by-skopeo; curl -sf -X PUT -H 'Content-Type: application/vnd.docker.distribution.manifest.v1+prettyjws' --data-binary @old.json http://$R/v2/docker-registry/$NAME/manifests/latest; }`,
  containerd: `
    source() { c=$(buildah from scratch); buildah add $c one /one; buildah config --cmd /one --env A=b $c; buildah commit "$@" $c source; buildah push source docker-archive:a.tar:$TO; ctr image import --snapshotter native a.tar; }
    send() { ctr image push --plain-http $TO "$@"; }`,
  'stargz-snapshotter': `
    source() { c=$(buildah from scratch); buildah add $c one /one; buildah config --cmd /one --env A=b $c; buildah commit "$@" $c source; buildah push source docker-archive:a.tar:src; ctr image import --snapshotter native a.tar; }
    to() { ctr-remote image convert "$@" docker.io/library/src:latest $TO; ctr image push --plain-http $TO; }`,
  charliecloud: `
    pull() { buildah push source docker://$R/charliecloud/$NAME:from; ch-image pull $RTLS/charliecloud/$NAME:from; }
    source() { c=$(buildah from scratch); mkdir tree; cp one tree; buildah add $c tree /; buildah config "$@" $c; buildah commit --format docker $c source; }
    send() { ch-image push $RTLS/charliecloud/$NAME:from $RTLS/charliecloud/$NAME:latest; }`,
  imagebuilder: `
    build() { cat > Dockerfile; imagebuilder "$@" -t $TO . ; docker push -q $TO; }`,
  containerify: `
    base() { c=$(buildah from scratch); buildah add $c one /one; buildah config --env A=b --cmd /one $c; buildah commit "$@" $c source; buildah push source docker://$R/source/$NAME:latest; }
    mkdir app; echo '{"name":"app","version":"1.0.0","scripts":{"start":"node x"}}' > app/package.json; echo x > app/x.js; mkdir app/node_modules; echo y > app/node_modules/y
    build() { containerify --registry http://$R/v2/ --fromImage source/$NAME:latest --toImage containerify/$NAME:latest --folder $PWD/app --allowNoPushAuth --allowInsecureRegistries --setTimeStamp 2024-01-01T00:00:00Z "$@"; }`,
  'sigstore-js': `
    c=$(buildah from scratch); buildah add $c one /one; buildah config --cmd /one $c; buildah commit $c source; buildah push source docker://$R/sigstore-js/$NAME:it
    code="const {attachArtifactToImage: attach, getImageDigest: ask} = require('@sigstore/oci'); const credentials = {username: 'alice', password: 'secret'}; (async ([imageName, mediaType, text, ...notes]) => { const imageDigest = await ask({imageName, imageTag: 'it', credentials}); const annotations = Object.fromEntries(notes.map((note) => note.split('='))); const {digest} = await attach({imageName, credentials, artifact: Buffer.from(text), imageDigest, mediaType, annotations}); console.log(digest, imageDigest.replace(':', '-')); })(process.argv.slice(1))"
    tag() { curl -sf -H 'Accept: application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json' http://$R/v2/sigstore-js/$NAME/manifests/$1 > m.json; curl -sf -X PUT -H "Content-Type: application/vnd.oci.image.$2.v1+json" --data-binary @m.json http://$R/v2/sigstore-js/$NAME/manifests/latest; }
    attach() { attached=$(NODE_PATH=$NPM node -e "$code" $RAUTH/sigstore-js/$NAME "$@"); tag \${attached% *} manifest; }
    tag_referrers() { tag \${attached#* } index; }`,
  flatpak: `
    package() { mkdir -p tree/files tree/export; cp one tree/files; cat > tree/metadata; flatpak build-export --disable-sandbox repo tree stable; }
    send() { flatpak build-bundle --oci repo layout org.example.One stable; skopeo copy --preserve-digests oci:layout:app/org.example.One/x86_64/stable docker://$TO; }`,
  'oras-go': `
    cat > main.go <<'GO'
package main

import (
	"context"
	"os"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/pkg/content"
	"oras.land/oras-go/pkg/oras"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func notes(text string) map[string]string {
	if key, value, found := strings.Cut(text, "="); found {
		return map[string]string{key: value}
	}
	return nil
}

func main() {
	files := content.NewFile("")
	layers := []ocispec.Descriptor{}
	for _, file := range os.Args[4:] {
		path, mediaType, _ := strings.Cut(file, ":")
		layer, err := files.Add(path, mediaType, "")
		check(err)
		layers = append(layers, layer)
	}
	manifest, root, config, configRoot, err := content.GenerateManifestAndConfig(notes(os.Args[2]), notes(os.Args[3]), layers...)
	check(err)
	check(files.Load(configRoot, config))
	check(files.StoreManifest(os.Args[1], root, manifest))
	registry, err := content.NewRegistry(content.RegistryOptions{PlainHTTP: true})
	check(err)
	_, err = oras.Copy(context.Background(), files, os.Args[1], registry, "")
	check(err)
}
GO
    put() { GOCACHE=$(dirname $HOME)/regshift-go-cache GO111MODULE=off GOPATH=/usr/share/gocode go run main.go $TO "$@"; }`,
  'devcontainers-cli': `
    export NODE_TLS_REJECT_UNAUTHORIZED=0
    feature() { mkdir -p src/$1; cp one src/$1/install.sh; echo '{"id":"'$1'","version":"1.0.0","name":"One","options":{}}' > src/$1/devcontainer-feature.json; }
    publish() { devcontainer features publish -r $RTLS -n devcontainers-cli$1 src; }`,
};

const all =
  '--user 7:8 --workingdir /w --env A=b --label l=m --port 80/tcp --volume /v --stop-signal SIGINT --entrypoint \'["/one"]\' --cmd /one --author me';

export const recipes: Readonly<Record<string, Recipes>> = {
  buildah: {
    oci: 'base; keep --format oci; send kept --format oci',
    docker: 'base; keep --format docker; send kept --format v2s2',
    'oci-config': `base; buildah config ${all} $c; keep --format oci; send kept`,
    'docker-config': `base; buildah config ${all} --hostname h --domainname d --comment hello --shell '/bin/sh -e' --onbuild 'RUN a' --healthcheck 'CMD a' --healthcheck-interval 3s --healthcheck-timeout 4s --healthcheck-start-period 5s --healthcheck-retries 2 $c; keep --format docker; send kept`,
    healthcheck: 'base; buildah config --healthcheck NONE $c; keep --format docker; send kept',
    annotated:
      'base; buildah config --annotation org.opencontainers.image.title=t --annotation org.opencontainers.image.revision=r $c; keep --format oci; send kept',
    'annotated-docker':
      'base; buildah config --annotation a=b --label c=d $c; keep --format docker; send kept --format oci',
    variant: 'base; buildah config --arch arm --variant v7 $c; keep --format oci; send kept',
    'variant-docker':
      'base; buildah config --arch arm64 --variant v8 --cmd /one $c; keep --format docker; send kept',
    windows:
      'base; buildah config --os windows --os-version 10.0.17763.1 --os-feature win32k $c; keep --format oci; send kept',
    'windows-docker':
      'base; buildah config --os windows --os-version 10.0.17763.1 --os-feature win32k $c; keep --format docker; send kept',
    history:
      'base; buildah config --add-history --created-by ENV --history-comment c --env A=b $c; keep --format oci; send kept',
    'history-docker':
      'base; buildah config --add-history --created-by ENV --env A=b --author me $c; keep --format docker; send kept',
    'no-history': 'base; keep --format oci --omit-history; send kept',
    'no-history-docker': 'base; keep --format docker --omit-history; send kept',
    unlabelled: 'base; keep --format oci --identity-label=false --timestamp 0; send kept',
    'unlabelled-docker': 'base; keep --format docker --identity-label=false --timestamp 0; send kept',
    zstd: 'base; keep; send kept --format oci --compression-format zstd',
    schema1: 'base; buildah config --cmd /one --author me $c; keep --format docker; send kept --format v2s1',
    'schema1-of-oci':
      'base; buildah config --env A=b --label l=m --volume /v $c; keep --format oci; send kept --format v2s1',
    encrypted:
      'base; keep --format oci; openssl genrsa -out k.pem 2048; openssl rsa -in k.pem -pubout -out p.pem; send kept --encryption-key jwe:p.pem',
    'encrypted-zstd':
      'base; keep --format oci; openssl genrsa -out k.pem 2048; openssl rsa -in k.pem -pubout -out p.pem; send kept --compression-format zstd --encryption-key jwe:p.pem',
    'half-encrypted':
      'base; keep --format oci; c=$(buildah from kept); buildah add $c two /two; keep --format oci; openssl genrsa -out k.pem 2048; openssl rsa -in k.pem -pubout -out p.pem; send kept --encryption-key jwe:p.pem --encrypt-layer=-1',
    bud: 'printf \'FROM scratch\\nCOPY one /one\\nENV A=b\\nARG X=y\\nLABEL c=d\\nMAINTAINER me\\nCMD ["/one"]\\n\' > Containerfile; buildah bud --layers -t kept .; send kept',
    'bud-docker':
      'printf \'FROM scratch\\nCOPY one /one\\nSHELL ["/one"]\\nHEALTHCHECK CMD /one\\nONBUILD COPY a /\\nSTOPSIGNAL 9\\n\' > Containerfile; buildah bud --format docker --layers -t kept .; send kept',
    'bud-squash':
      "printf 'FROM scratch\\nCOPY one /one\\nCOPY two /two\\nUSER 1\\n' > Containerfile; buildah bud --squash -t kept .; send kept",
    'bud-annotated':
      "printf 'FROM scratch\\nCOPY one /one\\n' > Containerfile; buildah bud --annotation org.opencontainers.image.base.name= --annotation x=y --label z= -t kept .; send kept",
    list: 'buildah manifest create l; for a in amd64 arm64; do base; buildah config --arch $a $c; keep --manifest l --format docker; done; buildah manifest push --all --format v2s2 l docker://$TO',
    index:
      'buildah manifest create l; for a in amd64 arm64; do base; buildah config --arch $a --workingdir /$a $c; keep --manifest l --format oci; done; buildah manifest push --all --format oci l docker://$TO',
    'index-annotated':
      'buildah manifest create l; base; d=$(keep --format oci -q); i=$(buildah manifest add l localhost/kept | sed "s/.*: //"); buildah manifest annotate --annotation a=b --arch arm --variant v6 --os-features f --os-version 1 l $(buildah manifest inspect l | grep -o "sha256:[0-9a-f]*" | head -1); buildah manifest push --all --format oci l docker://$TO',
    'list-annotated':
      'buildah manifest create l; base; keep --format docker; buildah manifest add l localhost/kept; buildah manifest annotate --features sse4 --os windows --os-version 10.0 l $(buildah manifest inspect l | grep -o "sha256:[0-9a-f]*" | head -1); buildah manifest push --all --format v2s2 l docker://$TO',
    'index-of-mixed':
      'buildah manifest create l; base; keep --format docker; buildah manifest add l localhost/kept; base; buildah config --arch s390x $c; buildah commit --format oci $c kept2; buildah manifest add l localhost/kept2; buildah manifest push --all l docker://$TO',
  },
  podman: {
    build: 'printf "FROM scratch\\nCOPY one /one\\nWORKDIR /x\\nEXPOSE 80\\n" | file; build; send',
    'build-docker':
      'printf "FROM scratch\\nCOPY one /one\\nVOLUME /x\\nUSER 2\\nLABEL a=b\\n" | file; build --format docker; send',
    healthcheck:
      'printf "FROM scratch\\nCOPY one /one\\nHEALTHCHECK --interval=5s --start-period=2s CMD /one\\n" | file; build --format docker; send --format v2s2',
    env: 'printf "FROM scratch\\nENV A=b\\nCOPY one /one\\nENTRYPOINT [\\"/one\\"]\\nSTOPSIGNAL SIGKILL\\n" | file; build --timestamp 0; send',
    'no-layer': 'printf "FROM scratch\\nENV A=b\\nCMD [\\"/one\\"]\\n" | file; build; send',
    'no-layer-docker':
      'printf "FROM scratch\\nLABEL a=b\\nCMD [\\"/one\\"]\\n" | file; build --format docker; send',
    'squash-all':
      'printf "FROM scratch\\nCOPY one /one\\nCOPY two /two\\nEXPOSE 1/udp\\n" | file; build --squash-all; send',
    commit:
      'printf "FROM scratch\\nCOPY one /one\\nCMD [\\"/one\\"]\\n" | file; build; k=$(podman create localhost/made); podman commit -q -f docker -m message -a author -c ENV=A=b -c "LABEL x=y" $k localhost/made; send',
    'commit-oci':
      'printf "FROM scratch\\nCOPY one /one\\nCMD [\\"/one\\"]\\n" | file; build; k=$(podman create localhost/made); podman commit -q -f oci --squash -a author -c USER=3 $k localhost/made; send',
    import:
      'tar cf t.tar one; podman import -q -m hello -c "ENV X=y" -c "CMD /one" t.tar localhost/made; send',
    'import-plain': 'tar cf t.tar one; podman import -q t.tar localhost/made; send',
    'import-oci':
      'tar cf t.tar one; podman import -q --os linux --arch arm64 --variant v8 t.tar localhost/made; send --format oci',
    'zstd-chunked':
      'printf "FROM scratch\\nCOPY one /one\\nLABEL a=b\\n" | file; build; send --format oci --compression-format zstd:chunked',
    schema1:
      'printf "FROM scratch\\nCOPY one /one\\nENV A=b\\nCOPY two /two\\nUSER 1\\n" | file; build --format docker --layers; send --format v2s1',
    index:
      'podman manifest create l; for a in amd64 arm; do printf "FROM scratch\\nCOPY one /one\\n" | file; podman build -q --platform linux/$a --manifest l .; done; podman manifest push --all l docker://$TO',
    'index-variant':
      'podman manifest create l; printf "FROM scratch\\nCOPY one /one\\nUSER 9\\n" | file; podman build -q --platform linux/arm/v7 --manifest l .; podman manifest push --all --format oci l docker://$TO',
    list: 'podman manifest create l; printf "FROM scratch\\nCOPY one /one\\nUSER 9\\nVOLUME /y\\n" | file; podman build -q --format docker --platform linux/arm/v7 --manifest l .; podman manifest push --all --format v2s2 l docker://$TO',
  },
  skopeo: {
    'docker-to-schema1':
      'source --format docker; buildah push source docker-archive:a.tar; skopeo copy --format v2s1 docker-archive:a.tar docker://$TO',
    'oci-to-schema1': 'source; layout; skopeo copy --format v2s1 oci:layout:it docker://$TO',
    'schema1-to-oci':
      'source; layout; skopeo copy --format v2s1 oci:layout:it docker://$R/source/$NAME:it; skopeo copy --format oci docker://$R/source/$NAME:it docker://$TO',
    archive:
      'source --format docker --identity-label=false; buildah push source docker-archive:a.tar; skopeo copy docker-archive:a.tar docker://$TO',
  },
  umoci: {
    empty: 'send',
    config: 'it config --author me --os linux --architecture arm64 --created 2024-01-01T00:00:00Z; send',
    'run-config':
      'it config --config.user 1 --config.workingdir /w --config.env A=b --config.entrypoint /one --config.cmd -x --config.stopsignal 9; send',
    'ports-and-volumes': 'it config --config.exposedports 80/tcp --config.volume /v --config.label a=b; send',
    annotated:
      'it config --manifest.annotation org.opencontainers.image.title=x --manifest.annotation a=b; send',
    'no-history': 'it config --no-history --author me; send',
    history:
      'it config --config.env A=b --history.author me --history.comment c --history.created 2024-01-01T00:00:00Z --history.created_by x; send',
    'insert-no-history': 'it insert --no-history one /one; send',
    repack:
      'umoci unpack --image layout:it b; cp one b/rootfs; umoci repack --image layout:it --history.author me b; it config --config.cmd /one; send',
    clear:
      'it config --config.env A=b --author me; it config --clear config.env --clear config.labels --config.label a=b; send',
    'docker-of-empty': 'it config --config.cmd /one; skopeo copy --format v2s2 oci:layout:it docker://$TO',
    zstd: 'it insert one /one; skopeo copy --format oci --dest-compress-format zstd oci:layout:it docker://$TO',
  },
  docker: {
    classic: "printf 'FROM scratch\\nCOPY one /one\\n' | build",
    'classic-config':
      'printf \'FROM scratch\\nMAINTAINER me\\nCOPY one /one\\nENV A=b\\nEXPOSE 80 81/udp\\nVOLUME /v\\nUSER 1\\nWORKDIR /w\\nENTRYPOINT ["/one"]\\nCMD ["a"]\\nSTOPSIGNAL 9\\nLABEL a=b\\n\' | build',
    'classic-healthcheck':
      'printf \'FROM scratch\\nCOPY one /one\\nHEALTHCHECK --interval=5s --timeout=3s --retries=2 --start-period=1s CMD /one\\nONBUILD COPY a b\\nSHELL ["/one"]\\n\' | build',
    'classic-labels':
      "printf 'FROM scratch\\nCOPY one /one\\nARG x\\n' | build --label a=b --label c=d --build-arg x=y",
    'classic-arm':
      "printf 'FROM --platform=linux/arm/v7 scratch\\nCOPY one /one\\nUSER 4\\n' | build --platform linux/arm/v7",
    kit: "printf 'FROM scratch\\nCOPY one /one\\n' | KIT=1 build",
    'kit-config':
      'printf \'FROM scratch\\nCOPY one /one\\nENV A=b\\nEXPOSE 80\\nVOLUME /v\\nUSER 1\\nWORKDIR /w\\nENTRYPOINT ["/one"]\\nSTOPSIGNAL 9\\nLABEL a=b\\n\' | KIT=1 build',
    'kit-healthcheck':
      'printf \'FROM scratch\\nMAINTAINER me\\nCOPY one /one\\nHEALTHCHECK NONE\\nONBUILD RUN a\\nSHELL ["/one"]\\n\' | KIT=1 build',
    'kit-inline-cache':
      "printf 'FROM scratch\\nCOPY one /one\\nCOPY two /two\\n' | KIT=1 build --build-arg BUILDKIT_INLINE_CACHE=1",
    'kit-arm': "printf 'FROM scratch\\nCOPY one /one\\n' | KIT=1 build --platform linux/arm/v6",
    commit:
      "printf 'FROM scratch\\nCOPY one /one\\nCMD [\"/one\"]\\n' | build; docker commit -m message -a author -c 'ENV A=b' -c 'HEALTHCHECK CMD /one' $(docker create --hostname h --env X=y --label l=m $TO) $TO; docker push -q $TO",
    import: "tar cf t.tar one; docker import -m hello -c 'CMD /one' t.tar $TO; docker push -q $TO",
    'import-plain': 'tar cf t.tar one; docker import t.tar $TO; docker push -q $TO',
    list: 'for a in amd64 arm64; do printf "FROM scratch\\nCOPY one /one\\nENV A=$a\\nCMD [\\"/one\\"]\\n" > Dockerfile; DOCKER_BUILDKIT=1 docker build -q --platform linux/$a -t $TO-$a .; docker push -q $TO-$a; done; docker manifest create --insecure $TO $TO-amd64 $TO-arm64; docker manifest annotate --variant v8 $TO $TO-arm64; docker manifest push --insecure $TO',
    'list-windows':
      "printf 'FROM scratch\\nCOPY one /one\\nWORKDIR /x\\n' > Dockerfile; DOCKER_BUILDKIT=1 docker build -q -t $TO-a .; docker push -q $TO-a; docker manifest create --insecure $TO $TO-a; docker manifest annotate --os windows --os-version 10.0 --os-features win32k $TO $TO-a; docker manifest push --insecure $TO",
  },
  'docker-registry': {
    classic: 'printf \'FROM scratch\\nCOPY one /one\\nCMD ["/one"]\\n\' | build; old',
    config:
      "printf 'FROM scratch\\nCOPY one /one\\nENV A=b\\nVOLUME /v\\nEXPOSE 80\\nLABEL a=b\\nUSER 2\\n' | build; old",
    empty:
      'printf \'FROM scratch\\nENV A=b\\nCOPY one /one\\nHEALTHCHECK CMD /one\\nSHELL ["/one"]\\nMAINTAINER me\\nCOPY two /two\\n\' | build; old',
    import:
      'tar cf t.tar one; docker import -m hello t.tar $R/source/$NAME:latest; docker push -q $R/source/$NAME:latest; old',
    commit:
      'printf \'FROM scratch\\nCOPY one /one\\nCMD ["/one"]\\n\' | build; docker commit -m message -a author $(docker create --label l=m $R/source/$NAME:latest) $R/source/$NAME:latest; docker push -q $R/source/$NAME:latest; old',
  },
  containerd: {
    import: 'source --format docker; send',
    'import-oci':
      'source --format oci --identity-label=false; buildah push source oci-archive:b.tar:$TO; ctr image import --snapshotter native b.tar; send',
    'to-oci': 'source --format docker; ctr image convert --oci $TO $TO-oci; send $TO-oci',
    'uncompressed-oci': 'source --format oci; ctr image convert --uncompress --oci $TO $TO-u; send $TO-u',
    'of-docker':
      "printf 'FROM scratch\\nCOPY one /one\\n' > Dockerfile; c=$(buildah bud -q --format docker .); buildah push $c docker-archive:a.tar:$TO; ctr image import --snapshotter native a.tar; ctr image label $TO a=b; ctr image convert --oci --platform linux/amd64 $TO $TO-oci; send $TO-oci",
  },
  'stargz-snapshotter': {
    estargz: 'source --format docker; to --estargz',
    'estargz-oci': 'source --format docker; to --estargz --oci',
    'zstd-chunked': 'source --format docker; to --zstdchunked --oci',
  },
  charliecloud: {
    pulled: 'source; pull; send',
    'with-config': 'source --env A=b --label a=b --workingdir /w --volume /v; pull; send',
    'with-history': 'source --cmd /one --add-history --created-by x; pull; send',
  },
  imagebuilder: {
    copy: "printf 'FROM scratch\\nCOPY one /one\\n' | build",
    config:
      'printf \'FROM scratch\\nCOPY one /one\\nENV A=b\\nEXPOSE 80\\nVOLUME /v\\nUSER 1\\nCMD ["/one"]\\nLABEL a=b\\n\' | build',
    entrypoint:
      'printf \'FROM scratch\\nMAINTAINER me\\nCOPY one /one\\nENTRYPOINT ["/one"]\\nWORKDIR /w\\nSTOPSIGNAL 9\\nHEALTHCHECK CMD /one\\n\' | build',
  },
  containerify: {
    app: 'base --format docker; build',
    'of-oci': 'base --format oci; build --user 5 --workdir /work --entrypoint /one',
    labelled: 'base --format docker --omit-history; build --labels a=b,c=d --envs X=y --expose 80/tcp',
    healthcheck: "base --format docker; build --healthcheck-cmd '/one x' --healthcheck-interval 9s",
    custom:
      'base --format oci --omit-history; containerify --registry http://$R/v2/ --fromImage source/$NAME:latest --toImage containerify/$NAME:latest --folder $PWD --customContent one --allowNoPushAuth --allowInsecureRegistries --user 1',
  },
  'sigstore-js': {
    attached: 'attach application/vnd.dev.sigstore.bundle.v0.3+json \'{"a":1}\'',
    annotated:
      'attach application/vnd.in-toto+json \'{"b":1}\' org.opencontainers.image.created=2024-01-01T00:00:00Z x=y',
    referrers: 'attach application/vnd.dev.sigstore.bundle+json \'{"c":1}\' x=y; tag_referrers',
  },
  flatpak: {
    app: "printf '[Application]\\nname=org.example.One\\nruntime=org.example.Platform/x86_64/1\\ncommand=one\\n' | package; send",
  },
  'oras-go': {
    file: 'put - - one:text/plain',
    'default-type': 'put - - one two',
    annotated: 'put a=b - one:application/vnd.one',
    'annotated-config': 'put - a=b one:application/vnd.one',
    folder: 'mkdir folder; cp one folder; put - - folder',
    'no-layer': 'put a=b -',
  },
  'devcontainers-cli': {
    feature: 'feature feature; publish',
    collection: 'feature other; publish /collection',
  },
};
