import type { Figures } from '../../observability/figures.ts';
import type { Health } from '../health.ts';
import { pageScript, pageStyle } from './browser-files.ts';
import { type Document, documentResponse, fileResponse } from './document.ts';
import { statusHtml } from './status-view.ts';

/** The status of the proxy as a document. @param figures the numbers of `/metrics`, if there are any. */
export async function statusDocument(health: Health, figures: Figures | undefined): Promise<Document> {
  return {
    title: 'Status of regshift',
    main: statusHtml(await health.report(), await figures?.()),
    status: true,
  };
}

/** The page of the port for metrics: the status alone. */
export async function statusPage(health: Health, figures: Figures): Promise<Response> {
  return documentResponse({ ...(await statusDocument(health, figures)), links: false });
}

/** Files do not change while the version stays, which their addresses have. */
const fileCaching = 'public, max-age=86400';

/** The response of a file of the page. */
export function pageFile(name: string): Response {
  return name.endsWith('.css')
    ? fileResponse(pageStyle, 'text/css; charset=utf-8', fileCaching)
    : fileResponse(pageScript, 'text/javascript; charset=utf-8', fileCaching);
}
