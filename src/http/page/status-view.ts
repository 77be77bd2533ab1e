import { html } from 'hono/html';
import type { HealthReport } from '../health.ts';
import { type Html, shown } from './document.ts';
import { healthHtml } from './home-view.ts';

/** The status of the proxy: its registries, and the numbers of this process. */
export function statusHtml(health: HealthReport, numbers: Html | undefined): Html {
  return html`<h1>Status</h1>
${healthHtml(health)}
<section aria-labelledby="registries">
<h2 id="registries">Registries</h2>
<table class="plain"><thead><tr><th scope="col">Route</th><th scope="col">State at the last check</th></tr></thead>
<tbody>${Object.entries(health.upstreams).map(([id, state]) => html`<tr><th scope="row">${shown(id)}</th><td>${state === 'answers' ? '✓ answers' : state}</td></tr>`)}</tbody></table>
</section>
${numbers ?? html`<p class="note">This runtime keeps no counters: Cloudflare's dashboard has the requests and the log.</p>`}`;
}
