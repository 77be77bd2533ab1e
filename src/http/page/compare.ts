import { html } from 'hono/html';
import type { Digest } from '../../../converters/digest.ts';
import { lossSentence } from '../../../converters/loss-text.ts';
import type { Loss } from '../../../converters/model.ts';
import { formatPlatform, type Platform } from '../../../converters/platform.ts';
import { sizeText } from '../../byte-text.ts';
import { formPhrase } from '../../negotiation/format-names.ts';
import { headersOf, type KnownClient } from '../../negotiation/known-clients.ts';
import type { Selection } from '../../negotiation/negotiate.ts';
import { digestHtml, type Html, pageLink, shown } from './document.ts';
import { reasonOf } from './image-view.ts';
import type { ImageQuery, PullQuestion, ViewedImage } from './look-up.ts';
import { comparedLines, type Line } from './manifest-lines.ts';

/** The manifest that a client gets, and the stored one that it is or was made from. */
export interface ManifestComparison {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly body: Uint8Array;
  readonly source: { readonly digest: Digest; readonly mediaType: string; readonly body: Uint8Array };
  readonly losses: readonly Loss[];
  readonly selections: readonly Selection[];
}

/** Gets the manifest of a client, and its source. @throws RegistryError; ConversionError. */
export async function compare(
  image: ViewedImage,
  client: KnownClient,
  platform: Platform | undefined,
): Promise<ManifestComparison | PullQuestion> {
  const { registry, name, reference, plain } = image;
  return image.spending(async () => {
    const selections: Selection[] = [];
    const request = image.request(headersOf(client, platform), {
      onSelection: (_, selection) => selections.push(selection),
    });
    const { mediaType, digest, body, source, losses } = await registry.manifests.get(
      request,
      name,
      reference,
    );
    const { bytes } = await registry.stored.getManifest(name, source, plain.context);
    const { mediaType: type } = await registry.stored.getManifestInfo(name, source, plain.context);
    return {
      mediaType,
      digest,
      body,
      source: { digest: source, mediaType: type, body: bytes },
      losses,
      selections,
    };
  });
}

/** Both manifests beside each other, with marks where they differ. */
export function comparisonHtml(query: ImageQuery, client: KnownClient, comparison: ManifestComparison): Html {
  const { source, losses, selections } = comparison;
  const isSame = source.digest === comparison.digest;
  const [before, after] = comparedLines(source.body, comparison.body);
  const back = pageLink({ image: query.text, platform: query.platform && formatPlatform(query.platform) });
  const because = selections.map((each) => each.because);
  return html`<p class="back"><a href="${back}">All clients of ${shown(query.text)}</a></p>
<h1>What ${client.name} gets for ${shown(query.text)}</h1>
<p>${isSame ? 'The stored bytes, unchanged.' : ''} ${reasonOf({ because, form: '' })}</p>
${losses.length === 0 ? '' : html`<h2>What is lost</h2><ul>${losses.map((each) => html`<li>${shown(lossSentence(each))}</li>`)}</ul>`}
<div class="${isSame ? 'panes one' : 'panes'}">
${isSame ? '' : paneHtml('Stored', source, before)}
${paneHtml(isSame ? 'Stored, and sent' : 'Sent', comparison, after)}
</div>`;
}

function paneHtml(
  title: string,
  { digest, mediaType, body }: Pick<ManifestComparison, 'digest' | 'mediaType' | 'body'>,
  lines: readonly Line[],
): Html {
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
