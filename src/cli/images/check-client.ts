import type { Digest } from '../../../converters/digest.ts';
import type { Platform } from '../../../converters/platform.ts';
import { formName } from '../../negotiation/format-names.ts';
import { knownClientById } from '../../negotiation/known-clients.ts';
import { formsOf, type Obstacle, ownRegistryText, type StraightClient } from '../../negotiation/straight.ts';
import { clientView } from '../../registry/inspection/client-views.ts';
import { isBehindRegshift } from './behind-regshift.ts';
import type { OpenImage } from './open-image.ts';
import { obstacleInEachForm, straightObstacle } from './straight-verdict.ts';

/** The verdict for one client and one image. */
export interface Verdict {
  /** The client as the user named it. */
  readonly client: string;
  readonly name: string;
  /** True if the client can use the image straight from its registry. */
  readonly works: boolean;
  readonly obstacle?: Obstacle;
  /** Steps that would make it work without regshift. */
  readonly help?: string;
  /** The result behind regshift, with `--with-proxy`. */
  readonly proxy?: ProxyVerdict;
}

export interface ProxyVerdict {
  readonly works: boolean;
  /** The form that the client gets, or the reason why it gets none. */
  readonly detail: string;
}

/** The verdicts for an image. */
export interface ImageVerdicts {
  readonly image: string;
  readonly digest?: Digest;
  readonly form?: string;
  /** A regshift serves the image: the verdicts are about what it sends to each client. */
  readonly regshift?: true;
  readonly clients: readonly Verdict[];
  /** The reason why the image cannot be checked. */
  readonly failed?: string;
}

interface Question {
  readonly platform: Platform;
  readonly withProxy: boolean;
  /** A regshift serves the image. */
  readonly behindRegshift: boolean;
}

/** Names the stored manifest of an image, and tells whether a regshift serves it. */
export async function storedForm(image: OpenImage) {
  const { registry, name, reference, plain } = image;
  const { digest } = await registry.stored.resolve(name, reference, plain.context);
  const { mediaType } = await registry.stored.getManifestInfo(name, digest, plain.context);
  const server = (await isBehindRegshift(image)) ? { regshift: true as const } : {};
  return { digest, form: formName(mediaType), ...server };
}

/** Judges an image for one client. @throws RegistryError, ConversionError if the image cannot be read. */
export async function checkClient(
  image: OpenImage,
  reader: StraightClient,
  { platform, withProxy, behindRegshift }: Question,
): Promise<Verdict> {
  const obstacle =
    (await straightObstacle(image, { reader, platform, behindRegshift })) ??
    (await obstacleInEachForm(image, reader, platform));
  const basics = { client: reader.id, name: reader.name, works: obstacle === undefined };
  if (obstacle === undefined) return basics;
  const proxy = withProxy ? { proxy: await proxyVerdict(image, reader, platform) } : {};
  const help = helpFor(reader, obstacle);
  return { ...basics, obstacle, ...(help === undefined ? {} : { help }), ...proxy };
}

/** Runs the code of the proxy for the client. */
async function proxyVerdict(
  image: OpenImage,
  reader: StraightClient,
  platform: Platform,
): Promise<ProxyVerdict> {
  const known = knownClientById(reader.id);
  if (!reader.usesProxies || known === undefined) {
    return { works: false, detail: ownRegistryText(reader.name) };
  }
  const lasting = await obstacleInEachForm(image, reader, platform);
  if (lasting) return { works: false, detail: lasting.reason };
  const view = await clientView(
    image,
    { ...known, userAgent: reader.userAgent ?? known.userAgent },
    platform,
  );
  if (view.refused !== undefined) return { works: false, detail: view.refused };
  return {
    works: true,
    detail: view.unread ? `${view.form}, after regshift has read the layers` : view.form,
  };
}

/**
 * The steps that make an image usable for a client without regshift; none for clients that read only schema 1, which no
 * builder of today makes. Options of `docker buildx build --output` are those of BuildKit's image exporter
 * (docs.docker.com/build/exporters/image-registry).
 */
function helpFor(reader: StraightClient, { kind, stored }: Obstacle): string | undefined {
  const forms = formsOf(reader);
  switch (kind) {
    case 'layers':
      return 'build it with docker buildx build and compression=gzip,force-compression=true in --output';
    case 'depth':
      return 'build it with fewer layers: one RUN for several commands, or COPY --from of an earlier stage';
    case 'platform':
      return 'build it for this platform, too: docker buildx build --platform …';
    case 'form':
    case 'index': {
      if (!forms.has('schema2')) return undefined;
      if (stored === 'schema1' || stored === 'generic')
        return 'pull it and push it again with Docker 20.10 to 25';
      const dockerTypes = forms.has('oci') ? '' : ' and oci-mediatypes=false in --output';
      const onePlatform = kind === 'index' && !forms.has('list') ? ' --sbom=false --platform …' : '';
      return `build it with docker buildx build --provenance=false${onePlatform}${dockerTypes}`;
    }
    default:
      return undefined;
  }
}
