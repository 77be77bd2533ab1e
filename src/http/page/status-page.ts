import { html } from 'hono/html';
import type { Health, HealthReport } from '../health.ts';
import { pageScript, pageStyle } from './browser-files.ts';
import { type Document, documentResponse, fileResponse, type Html, shown } from './document.ts';
import { healthHtml } from './home-view.ts';

/** The numbers of `/metrics`, for people. */
export type StatusNumbers = () => Promise<Html>;

/** The status of the proxy as a document. @param numbers absent where the runtime counts nothing. */
export async function statusDocument(health: Health, numbers: StatusNumbers | undefined): Promise<Document> {
  return {
    title: 'Status of regshift',
    main: statusHtml(await health.report(), await numbers?.()),
    status: true,
  };
}

/** The page of the port for metrics: the status alone. */
export async function statusPage(health: Health, numbers: StatusNumbers): Promise<Response> {
  return documentResponse({ ...(await statusDocument(health, numbers)), links: false });
}

/** Files do not change while the version stays, which their addresses have. */
const fileCaching = 'public, max-age=86400';

/** The response of a file of the page. */
export function pageFile(name: string): Response {
  return name.endsWith('.css')
    ? fileResponse(pageStyle, 'text/css; charset=utf-8', fileCaching)
    : fileResponse(pageScript, 'text/javascript; charset=utf-8', fileCaching);
}

/** The status of the proxy: its registries, and the numbers of this process. */
function statusHtml(health: HealthReport, numbers: Html | undefined): Html {
  return html`<h1>Status</h1>
${healthHtml(health)}
<section aria-labelledby="registries">
<h2 id="registries">Registries</h2>
<table class="plain"><thead><tr><th scope="col">Route</th><th scope="col">State at the last check</th></tr></thead>
<tbody>${Object.entries(health.upstreams).map(([id, state]) => html`<tr><th scope="row">${shown(id)}</th><td>${state === 'answers' ? '✓ answers' : state}</td></tr>`)}</tbody></table>
</section>
${numbers ?? html`<p class="note">This runtime keeps no counters: Cloudflare's dashboard has the requests and the log.</p>`}`;
}
