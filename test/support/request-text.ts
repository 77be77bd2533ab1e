/** A request to an upstream as tests write it down: `GET /v2/…`, and `bytes=0-0` behind it for a part. */
export function requestText(method: string, path: string, range: string | null | undefined): string {
  return range ? `${method} ${path} ${range}` : `${method} ${path}`;
}
