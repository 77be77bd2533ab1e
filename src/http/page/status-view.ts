import { html } from 'hono/html';
import { knownClients } from '../../negotiation/known-clients.ts';
import { type Figure, sumsBy } from '../../observability/figures.ts';
import type { HealthReport } from '../health.ts';
import { type Html, shown } from './document.ts';
import { healthHtml } from './home-view.ts';

/** The status of the proxy: its registries, and the numbers of `/metrics` since it started. */
export function statusHtml(health: HealthReport, figures: readonly Figure[] | undefined): Html {
  return html`<h1>Status</h1>
${healthHtml(health)}
<section aria-labelledby="registries">
<h2 id="registries">Registries</h2>
<table class="plain"><thead><tr><th scope="col">Route</th><th scope="col">State</th></tr></thead>
<tbody>${Object.entries(health.upstreams).map(([id, state]) => html`<tr><th scope="row">${shown(id)}</th><td>${state === 'answers' ? '✓ answers' : state}</td></tr>`)}</tbody></table>
</section>
${figures === undefined ? html`<p class="note">This runtime keeps no counters: Cloudflare's dashboard has the requests and the log.</p>` : numbersHtml(figures)}`;
}

function numbersHtml(figures: readonly Figure[]): Html {
  const one = (name: string) => figures.find((each) => each.name === name)?.value ?? 0;
  const conversions = figures
    .filter(({ name }) => name === 'regshift_conversions_total')
    .map(({ labels, value }) => [`${labels.from} to ${labels.to}, ${labels.result}`, value] as const)
    .sort(([, a], [, b]) => b - a);
  const caches = figures
    .filter(({ name }) => name === 'regshift_cache_requests_total')
    .map(({ labels, value }) => [`${labels.tier}, ${labels.result}`, value] as const)
    .sort(([one], [other]) => one.localeCompare(other));
  const converted = figures.filter(({ labels }) => labels.form === 'converted');
  return html`<p class="note">Numbers since the start of this process.</p>
<ul class="tiles">
<li><strong>${count(one('regshift_requests_under_way'))}</strong> requests in progress</li>
<li><strong>${count(one('regshift_streams_under_way'))}</strong> responses being sent</li>
<li><strong>${count(one('regshift_layers_reading'))}</strong> layers being read</li>
</ul>
${barsHtml('Who still needs this proxy? Manifests by client', byClient(figures), 'No client has pulled yet.', byClient(converted))}
${barsHtml('Conversions', conversions, 'Nothing has been converted yet.')}
${barsHtml('Caches', caches, 'No cache has been asked yet.')}
${barsHtml('Layers in the store, by lookup', sumsBy(figures, 'regshift_store_reads_total', 'result'), 'No layer has been looked up in a store.')}
${barsHtml('Requests to registries, by response', sumsBy(figures, 'regshift_upstream_requests_total', 'code'), 'No registry has been asked yet.')}
${barsHtml('Requests of clients', sumsBy(figures, 'regshift_requests_total', 'resource'), 'No client has asked yet.')}`;
}

/** Manifests by the names of the groups of clients. */
function byClient(figures: readonly Figure[]): (readonly [label: string, value: number])[] {
  const sums = sumsBy(figures, 'regshift_client_manifests_total', 'client');
  return sums.map(([id, sum]) => [knownClients.find((each) => each.id === id)?.name ?? 'other clients', sum]);
}

/** A list of numbers with bars to scale. @param parts the part of each bar that is marked: converted manifests. */
function barsHtml(
  title: string,
  rows: readonly (readonly [label: string, value: number])[],
  none: string,
  parts: readonly (readonly [label: string, value: number])[] = [],
): Html {
  const largest = Math.max(1, ...rows.map(([, value]) => value));
  const partOf = new Map(parts);
  return html`<section><h2>${title}</h2>
${
  rows.length === 0
    ? html`<p class="note">${none}</p>`
    : html`<ul class="bars">${rows.map(([label, value]) => {
        const part = partOf.get(label) ?? 0;
        return html`<li><span class="label">${shown(label)}</span><svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true"><rect width="${((100 * value) / largest).toFixed(2)}" height="1"/><rect class="part" width="${((100 * part) / largest).toFixed(2)}" height="1"/></svg><span class="value">${count(value)}${part > 0 ? `, ${count(part)} converted` : ''}</span></li>`;
      })}</ul>`
}
</section>`;
}

function count(value: number): string {
  return value.toLocaleString('en');
}
