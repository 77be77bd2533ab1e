import { html } from 'hono/html';
import { lossSummary } from '../../../converters/loss-text.ts';
import { formatPlatform } from '../../../converters/platform.ts';
import { sizeText } from '../../byte-text.ts';
import { counted } from '../../counted.ts';
import { formPhrase, phraseOfForm } from '../../negotiation/format-names.ts';
import { type KnownClient, knownClients } from '../../negotiation/known-clients.ts';
import { phraseOf } from '../../negotiation/reasons.ts';
import type { ClientView } from '../../registry/inspection/client-views.ts';
import {
  type DescribedEntry,
  entryText,
  type StoredDescription,
  type StoredLayer,
} from '../../registry/inspection/describe-stored.ts';
import { parseNamedImage } from '../../registry/inspection/named-image.ts';
import { digestHtml, type Html, pageLink, shown } from './document.ts';
import { imageForm } from './forms.ts';
import type { ImageQuery, LookUp, PullQuestion } from './look-up.ts';
import { machinesHtml } from './machine-view.ts';

/** The stored image, and the table of clients. */
export function imageHtml(query: ImageQuery, { stored, clients, isCounted }: LookUp): Html {
  return html`<h1 class="image">${shown(query.text)}</h1>
${storedHtml(query, stored, isCounted)}
<section aria-labelledby="clients">
<h2 id="clients">What each client gets</h2>
<p class="sum">${summaryOf(clients)}</p>
<table class="stack">
<thead><tr><th scope="col">Client</th><th scope="col">Gets</th><th scope="col">Digest</th><th scope="col">Loses</th><th scope="col">Why</th></tr></thead>
<tbody>${clients.map((view) =>
    clientRow(
      query,
      view,
      knownClients.find(({ name }) => name === view.client),
    ),
  )}</tbody>
</table>
${isCounted ? html`<p class="note">The registry counts pulls, so the page fetched the index and one image of it at most. The first pull of a client fetches the rest.</p>` : ''}
</section>
<section aria-labelledby="next">
<h2 id="next">Another image</h2>
${imageForm()}
<h2>Set up a machine for ${shown(query.text)}</h2>
${machinesHtml({ image: query.text })}
</section>`;
}

/** Links to the manifests of all clients for an image. */
export function clientsHtml({ text }: ImageQuery): Html {
  return html`<ul class="platforms">${knownClients.map(({ id, name }) => html`<li><a href="${pageLink({ image: text, client: id })}">${name}</a></li>`)}</ul>`;
}

/** Links to an image for some platforms. */
export function platformsHtml(image: string, platforms: readonly string[]): Html {
  return html`<ul class="platforms">${platforms.map((platform) => html`<li><a href="${pageLink({ image, platform })}">${platform}</a></li>`)}</ul>`;
}

/** The question before a look-up that the registry counts as pulls. */
export function pullsHtml(
  query: ImageQuery,
  { pulls }: PullQuestion,
  more: Record<string, string> = {},
): Html {
  const platform = query.platform && formatPlatform(query.platform);
  const count = pulls === 1 ? '1 counted pull' : `at most ${pulls} counted pulls`;
  return html`${imageForm(query.text)}
<h1>${shown(query.text)}</h1>
<section class="ask">
<h2>This registry counts pulls</h2>
<p>To show this image, the page fetches ${pulls === 1 ? 'one manifest' : 'the manifest, and one image of it if it is an index'}. That is <strong>${count}</strong> of your account, or of the address of this proxy if you have no login there.</p>
<p><a class="button" href="${pageLink({ image: query.text, platform, ...more, pulls: String(pulls) })}">Show it for ${count}</a></p>
</section>`;
}

function storedHtml(query: ImageQuery, stored: StoredDescription, isCounted: boolean): Html {
  const { digest, mediaType, size, entries, image, noImage } = stored;
  return html`<section aria-labelledby="stored">
<h2 id="stored">Stored as ${shown(formPhrase(mediaType))}</h2>
<p class="facts"><span>${sizeText(size)}</span> ${digestHtml(digest)}</p>
${entries ? entriesHtml(query, entries, image?.digest, isCounted) : ''}
${noImage === undefined ? '' : html`<p class="note">${shown(noImage)}</p>`}
${image ? layersHtml(image, entries !== undefined) : ''}
</section>`;
}

function entriesHtml(
  { text }: ImageQuery,
  entries: NonNullable<StoredDescription['entries']>,
  chosen: string | undefined,
  isCounted: boolean,
): Html {
  const images = entries.filter(({ attestation, blob }) => !attestation && !blob);
  const attestations = entries.filter(({ attestation }) => attestation).length;
  const blobs = entries.length - images.length - attestations;
  const counts = [
    counted(images.length, 'image'),
    ...(attestations === 0 ? [] : [counted(attestations, 'attestation')]),
    ...(blobs === 0 ? [] : [counted(blobs, 'blob')]),
  ].join(', ');
  return html`<p>${counts}. ${images.length > 1 ? 'Choose a platform to see its layers.' : ''}${isCounted && images.length > 1 ? ' A further image is one counted pull more.' : ''}</p>
<ul class="platforms">${images.map((entry) => {
    const isChosen = entry.digest === chosen;
    return html`<li><a href="${pageLink(entryQuery(text, entry, images))}"${isChosen ? html` aria-current="true"` : ''}>${shown(entryText(entry))}</a></li>`;
  })}</ul>`;
}

/** An entry by its platform; by its digest if it has none, or if an entry before it has the same one. */
function entryQuery(text: string, { platform, digest }: DescribedEntry, images: readonly DescribedEntry[]) {
  const first = images.find((each) => each.platform === platform);
  const named = parseNamedImage(text);
  return 'problem' in named || (platform !== undefined && first?.digest === digest)
    ? { image: text, platform }
    : { image: `${named.name}@${digest}` };
}

function layersHtml(
  { platform, layers, digest, config }: NonNullable<StoredDescription['image']>,
  ofIndex: boolean,
): Html {
  const largest = Math.max(1, ...layers.map(({ size = 0 }) => size));
  const total = layers.every(({ size }) => size !== undefined)
    ? `, ${sizeText(layers.reduce((sum, { size = 0 }) => sum + size, 0))} in all`
    : '';
  return html`<h3>${counted(layers.length, 'layer')} of ${shown(platform ?? 'an unknown platform')}${total}</h3>
${ofIndex ? html`<p class="facts"><span>image</span> ${digestHtml(digest)}</p>` : ''}
${config ? html`<p class="facts"><span>config, ${sizeText(config.size)}</span> ${digestHtml(config.digest)}</p>` : ''}
<ol class="layers">${layers.map((layer) => layerHtml(layer, largest))}</ol>`;
}

function layerHtml({ digest, compression, size }: StoredLayer, largest: number): Html {
  const width = size === undefined ? 0 : Math.max(0.5, (100 * size) / largest);
  const kind = compression === 'none' ? 'plain tar' : compression === 'unknown' ? 'not read' : compression;
  return html`<li><span class="kind ${compression}">${shown(kind)}</span><span class="size">${sizeText(size)}</span><svg class="bar ${compression}" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true"><rect width="${width.toFixed(2)}" height="1"/></svg>${digestHtml(digest)}</li>`;
}

function summaryOf(clients: readonly ClientView[]): string {
  const stored = clients.filter(({ form }) => form === 'as stored').length;
  const refused = clients.filter((each) => each.refused !== undefined).length;
  const converted = clients.length - stored - refused;
  const parts = [
    [stored, 'get the stored bytes'],
    [converted, 'get a converted image'],
    [refused, 'get an error'],
  ] as const;
  const said = parts.flatMap(([count, what]) => (count > 0 ? [`${count} ${what}`] : []));
  return `Of ${clients.length} generations of clients, ${said.join(', ')}. Choose one to see its manifest beside the stored one.`;
}

function clientRow({ text, platform }: ImageQuery, view: ClientView, client: KnownClient | undefined): Html {
  const { digest, losses, unread, refused } = view;
  const form = phraseOfForm(view.form);
  const kind = refused ? 'refused' : view.form === 'as stored' ? 'stored' : 'converted';
  const chosen = platform && formatPlatform(platform);
  const link = pageLink({ image: text, platform: chosen, client: client?.id });
  const gets =
    digest && client
      ? html`<a href="${link}" aria-label="${shown(form)} for ${view.client}">${shown(form)}</a>`
      : shown(form);
  return html`<tr class="${kind}">
<th scope="row">${view.client}</th>
<td data-label="Gets"><span class="form ${kind}">${gets}</span></td>
<td data-label="Digest">${digestCell(digest, unread)}</td>
<td data-label="Loses">${unread ? '' : lossSummary(losses)}</td>
<td data-label="Why">${refused === undefined ? reasonOf(view) : shown(refused)}</td>
</tr>
`;
}

function digestCell(digest: string | undefined, unread: true | undefined): Html | string {
  if (unread) return 'known after the first pull';
  return digest ? digestHtml(digest) : '';
}

/** The reasons of a view as one sentence. */
export function reasonOf({ because, form }: Pick<ClientView, 'because' | 'form'>): string {
  const phrases = [...new Set(because)].map(phraseOf);
  if (phrases.length === 0)
    return form.startsWith('registry API v1') ? 'The client pulls by registry API v1.' : '';
  const sentence = phrases.join('; then ');
  return `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`;
}
