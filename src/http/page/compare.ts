import { html } from 'hono/html';
import type { Digest } from '../../../converters/digest.ts';
import { lossSentence } from '../../../converters/loss-text.ts';
import { formatPlatform, type Platform } from '../../../converters/platform.ts';
import { sizeText } from '../../byte-text.ts';
import { formPhrase } from '../../negotiation/format-names.ts';
import { headersOf, type KnownClient } from '../../negotiation/known-clients.ts';
import type { Reason } from '../../negotiation/reasons.ts';
import { type ClientView, clientView } from '../../registry/inspection/client-views.ts';
import { digestHtml, type Html, pageLink, shown } from './document.ts';
import { reasonOf } from './image-view.ts';
import type { ImageQuery, PullQuestion, ViewedImage } from './look-up.ts';
import { comparedLines, type Line } from './manifest-lines.ts';

interface ShownManifest {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly body: Uint8Array;
}

/** The manifest that a client gets, and the stored one that it is or was made from. */
export interface ManifestComparison extends Pick<ClientView, 'because' | 'losses' | 'refused'> {
  readonly source: ShownManifest;
  /** Absent for a client of registry API v1, which has no manifests. */
  readonly sent?: ShownManifest;
}

/** Gets the manifest of a client, and its source. @throws RegistryError; ConversionError. */
export async function compare(
  image: ViewedImage,
  client: KnownClient,
  platform: Platform | undefined,
): Promise<ManifestComparison | PullQuestion> {
  const { registry, name, reference, plain } = image;
  const stored = async (digest: Digest): Promise<ShownManifest> => {
    const { bytes } = await registry.stored.getManifest(name, digest, plain.context);
    const { mediaType } = await registry.stored.getManifestInfo(name, digest, plain.context);
    return { digest, mediaType, body: bytes };
  };
  return image.spending(async () => {
    const because: Reason[] = [];
    const request = image.request(headersOf(client, platform), {
      onSelection: (_, selection) => because.push(selection.because),
    });
    if (!request.client.profile.apiV2) {
      const { digest } = await registry.stored.resolve(name, reference, plain.context);
      return { ...(await clientView(image, client, platform)), source: await stored(digest) };
    }
    const { source, losses, ...sent } = await registry.manifests.get(request, name, reference);
    return { sent, source: await stored(source), losses, because };
  });
}

/** Both manifests beside each other, with marks where they differ. */
export function comparisonHtml(query: ImageQuery, client: KnownClient, comparison: ManifestComparison): Html {
  const { source, sent, losses, because, refused } = comparison;
  const isSame = source.digest === sent?.digest;
  const [before, after] = comparedLines(source.body, (sent ?? source).body);
  const back = pageLink({ image: query.text, platform: query.platform && formatPlatform(query.platform) });
  return html`<p class="back"><a href="${back}">All clients of ${shown(query.text)}</a></p>
<h1>What ${client.name} gets for ${shown(query.text)}</h1>
${refused === undefined ? '' : html`<p class="failure">${shown(refused)}</p>`}
<p>${sent || refused ? '' : byApiV1} ${isSame ? 'The stored bytes, unchanged.' : ''} ${reasonOf({ because, form: '' })}</p>
${losses.length === 0 ? '' : html`<h2>What is lost</h2><ul>${losses.map((each) => html`<li>${shown(lossSentence(each))}</li>`)}</ul>`}
<div class="${isSame || !sent ? 'panes one' : 'panes'}">
${isSame ? '' : paneHtml('Stored', source, before)}
${sent ? paneHtml(isSame ? 'Stored, and sent' : 'Sent', sent, after) : ''}
</div>`;
}

const byApiV1 =
  'The client gets no manifest: regshift answers 404 by registry API v2, and the client pulls by registry API v1.';

function paneHtml(title: string, { digest, mediaType, body }: ShownManifest, lines: readonly Line[]): Html {
  return html`<section class="pane">
<h2>${title}</h2>
<p class="facts"><span>${shown(formPhrase(mediaType))}, ${sizeText(body.length)}</span> ${digestHtml(digest)}</p>
<pre tabindex="0" role="region" aria-label="${title}: manifest">${lines.map(lineHtml)}</pre>
</section>`;
}

function lineHtml({ text, change }: Line): Html {
  if (change === 'gap') return html`<span class="gap" aria-hidden="true"></span>`;
  if (change === 'same') return html`<span>${shown(text)}\n</span>`;
  return change === 'added' ? html`<ins>${shown(text)}\n</ins>` : html`<del>${shown(text)}\n</del>`;
}
