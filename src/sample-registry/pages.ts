import { jsonResponse, sampleErrorResponse } from './answers.ts';

/**
 * A list in pages (distribution-spec 1.1, "Listing Tags"): at most `n` names after `last`, in order, and a Link
 * to the next page where there is one. `n=0` asks for nothing and gets no Link.
 */
export function pageResponse(
  url: URL,
  names: readonly string[],
  body: (page: readonly string[]) => unknown,
): Response {
  const n = url.searchParams.get('n');
  const last = url.searchParams.get('last') ?? '';
  if (n !== null && !/^\d+$/.test(n)) {
    return sampleErrorResponse(400, 'PAGINATION_NUMBER_INVALID', 'n must be a number that is not negative', {
      n,
    });
  }
  const rest = names.toSorted().filter((name) => name > last);
  const page = n === null ? rest : rest.slice(0, Number(n));
  const end = page.at(-1);
  const more = end !== undefined && page.length < rest.length;
  const next = more ? `${url.pathname}?${new URLSearchParams({ n: String(page.length), last: end })}` : '';
  return jsonResponse(body(page), more ? { Link: `<${next}>; rel="next"` } : {});
}
