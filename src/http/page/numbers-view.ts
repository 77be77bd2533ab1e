import { html } from 'hono/html';
import { phraseOfForm } from '../../negotiation/format-names.ts';
import { knownClients } from '../../negotiation/known-clients.ts';
import { type Figure, sumsBy } from '../../observability/figures.ts';
import { type Html, shown } from './document.ts';

type Row = readonly [label: string, value: number];

/** The numbers of `/metrics`, each with the thing that it counts. A runtime that counts loads this file by itself. */
export function numbersHtml(figures: readonly Figure[]): Html {
  const one = (name: string) => figures.find((each) => each.name === name)?.value ?? 0;
  const sums = (metric: string, label: string, words: Words = {}) =>
    sumsBy(figures, metric, label).map(([value, sum]): Row => [words[value] ?? value, sum]);
  const tile = (name: string, [noun, rest]: readonly [noun: string, rest: string]) =>
    html`<li><strong>${count(one(name))}</strong> ${noun}${one(name) === 1 ? '' : 's'} ${rest}</li>`;
  const converted = figures.filter(({ labels }) => labels.form === 'converted');
  return html`<section><h2>At this moment</h2>
<ul class="tiles">
${tile('regshift_requests_under_way', ['request', 'of clients in progress'])}
${tile('regshift_streams_under_way', ['response', 'being sent'])}
${tile('regshift_layers_reading', ['layer', 'being read for a conversion'])}
</ul></section>
<h2>Since ${startText(one('process_start_time_seconds'))}</h2>
<p class="note">regshift counts from the start of this process. Other replicas have their own numbers.</p>
${barsHtml('Who still needs this proxy? Manifests by client', 'Manifests that were sent, by the version of the client. A converted one is in another form than the registry stores, mostly because the client does not read that form.', byClient(figures), byClient(converted))}
${barsHtml('Conversions', 'Manifests in another form than the stored one, by both forms: made, found in a cache, or failed.', conversionsOf(figures))}
${barsHtml('Caches', 'Lookups of content that was fetched or made before, by cache.', cachesOf(figures))}
${barsHtml('Layers in the store, by lookup', 'Lookups of layers in the store of REGSHIFT_STORE.', sums('regshift_store_reads_total', 'result', found))}
${barsHtml('Requests to registries, by response', 'Requests of regshift to the registries behind it, by the HTTP status of the response; layers that clients download are among them.', sums('regshift_upstream_requests_total', 'code', { none: 'no response' }))}
${barsHtml('Requests of clients', 'Requests to regshift, by what they are for. Probes of health are not counted.', sums('regshift_requests_total', 'resource', { none: 'other paths' }))}`;
}

type Words = Readonly<Record<string, string>>;

const found: Words = { hit: 'found', miss: 'not found', error: 'the store failed' };
const results: Words = { made: 'made', remembered: 'from a cache', failed: 'failed' };

function startText(seconds: number): string {
  return seconds === 0
    ? 'the start'
    : `${new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** Manifests by the names of the groups of clients. */
function byClient(figures: readonly Figure[]): Row[] {
  const sums = sumsBy(figures, 'regshift_client_manifests_total', 'client');
  return sums.map(([id, sum]) => [knownClients.find((each) => each.id === id)?.name ?? 'other clients', sum]);
}

function conversionsOf(figures: readonly Figure[]): Row[] {
  return figures
    .filter(({ name }) => name === 'regshift_conversions_total')
    .map(({ labels: { from = '', to = '', result = '' }, value }): Row => {
      return [`${phraseOfForm(from)} to ${phraseOfForm(to)}: ${results[result] ?? result}`, value];
    })
    .sort(([, one], [, other]) => other - one);
}

function cachesOf(figures: readonly Figure[]): Row[] {
  return figures
    .filter(({ name }) => name === 'regshift_cache_requests_total')
    .map(
      ({ labels: { tier = '', result = '' }, value }): Row => [`${tier}: ${found[result] ?? result}`, value],
    )
    .sort(([one], [other]) => one.localeCompare(other));
}

/**
 * Numbers with bars to scale.
 * @param about the thing that is counted. @param parts the part of each bar that is marked: converted manifests.
 */
function barsHtml(title: string, about: string, rows: readonly Row[], parts: readonly Row[] = []): Html {
  const largest = Math.max(1, ...rows.map(([, value]) => value));
  const partOf = new Map(parts);
  return html`<section><h3>${title}</h3>
<p class="note">${about}${rows.length === 0 ? ' There was none yet.' : ''}</p>
<ul class="bars">${rows.map(([label, value]) => {
    const part = partOf.get(label) ?? 0;
    return html`<li><span class="label">${shown(label)}</span><svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true"><rect width="${((100 * value) / largest).toFixed(2)}" height="1"/><rect class="part" width="${((100 * part) / largest).toFixed(2)}" height="1"/></svg><span class="value">${count(value)}${part > 0 ? `, ${count(part)} converted` : ''}</span></li>`;
  })}</ul></section>`;
}

function count(value: number): string {
  return value.toLocaleString('en');
}
