import type { Health } from '../health.ts';
import { pageScript, pageStyle } from './browser-files.ts';
import { type Document, documentResponse, fileResponse, type Html } from './document.ts';
import { statusHtml } from './status-view.ts';

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
