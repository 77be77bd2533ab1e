import { html } from 'hono/html';
import { escapeControl } from '../../observability/log-format.ts';
import { version } from '../../version.ts';

/** A piece of HTML: `html` escapes every value in it. */
export type Html = ReturnType<typeof html>;

/** The parts of a document of the page. */
export interface Document {
  readonly title: string;
  readonly main: Html;
  /** The HTTP status; absent: 200. */
  readonly code?: number;
  /** False for a port that has no other documents. */
  readonly links?: boolean;
  /** Whether the document links to the status of the proxy. */
  readonly status?: boolean;
}

/**
 * Headers of every response of the page. Scripts and styles come from the proxy alone, and no other site may show the
 * page in a frame (Content Security Policy Level 3).
 */
const securityHeaders = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
} as const;

/** The response of a document. No cache keeps it: it is for one viewer, at one moment. */
export async function documentResponse(
  document: Document,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const body = new TextEncoder().encode(String(await documentHtml(document)));
  const type = { 'Content-Type': 'text/html; charset=utf-8', 'Content-Length': String(body.length) };
  const about = { 'Cache-Control': 'no-store', Vary: 'Accept, Authorization' };
  return new Response(body, {
    status: document.code ?? 200,
    headers: { ...headers, ...securityHeaders, ...type, ...about },
  });
}

/** The response of a script, a style or data of the page. */
export function fileResponse(text: string, type: string, cache: string): Response {
  const body = new TextEncoder().encode(text);
  const headers = { 'Content-Type': type, 'Content-Length': String(body.length), 'Cache-Control': cache };
  return new Response(body, { headers: { ...securityHeaders, ...headers } });
}

function documentHtml({ title, main, links = true, status = false }: Document): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="./page/page.css?v=${version}">
<script type="module" src="./page/page.js?v=${version}"></script>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="top">
<a class="brand" href="./">regshift</a>
${links ? html`<nav aria-label="Page"><a class="tab" href="./#image-title">Images</a><a class="tab" href="./#machine">Machines</a><a class="tab" href="./#error-title">Errors</a>${status ? html`<a class="tab" href="./?status">Status</a>` : ''}</nav>` : ''}
</header>
<main id="main" tabindex="-1">
${main}
</main>
<footer>regshift ${version}. ${links ? 'This page asks the registry with your own right, and reads no layer.' : ''}</footer>
</body>
</html>
`;
}

/** Text from a registry or a client, without invisible characters that could change how it reads. */
export function shown(text: string): string {
  return escapeControl(text);
}

/** A digest in full, of which a list and a small screen show the beginning; a click selects all of it. */
export function digestHtml(digest: string): Html {
  const [algorithm = '', hash = ''] = digest.split(':');
  return html`<code class="digest" title="${digest}"><span>${algorithm}:${hash.slice(0, 12)}</span><span class="rest">${hash.slice(12)}</span></code>`;
}

/** Lines to copy, with a button that the script of the page shows. */
export function linesHtml(lines: string, label: string): Html {
  return html`<div class="lines"><pre tabindex="0" role="region" aria-label="${label}"><code>${lines}</code></pre><button type="button" class="copy" hidden>Copy<span class="hidden"> ${label}</span></button></div>`;
}

/** An address of the page with these values. */
export function pageLink(values: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(values).flatMap(([key, value]) =>
    value ? [[key, value] as [string, string]] : [],
  );
  return `./?${new URLSearchParams(given)}`;
}

/** Text with links to machines of the page, `[CentOS 7](centos-7)`, or to all of them, `[a machine](#machine)`. */
export function linkedText(text: string, query: Readonly<Record<string, string | undefined>> = {}): Html {
  // Every third piece is text, followed by a label and the id of a machine.
  const pieces = text.split(/\[([^\]]+)\]\((#machine|[\w.-]+)\)/);
  return html`${pieces.map((piece, at) => {
    const machine = pieces[at + 1];
    if (at % 3 !== 1) return at % 3 === 0 ? piece : '';
    return html`<a href="${machine === '#machine' ? './#machine' : pageLink({ machine, ...query })}">${piece}</a>`;
  })}`;
}
