import { createSampleRegistry } from '../../src/sample-registry/registry.ts';
import { type Script, specError } from './scripted-upstream.ts';

const samples = createSampleRegistry();

/**
 * A repository whose tags are different samples.
 * @param tags the sample by tag; a sample that does not exist makes a tag that upstream lists and does not have.
 * @param headers added to each answer.
 */
export function manyTags(
  repository: string,
  tags: Readonly<Record<string, string>>,
  headers: Record<string, string> = {},
): Script {
  const prefix = `/v2/${repository}/`;
  return async (request, { pathname, origin }) => {
    if (!pathname.startsWith(prefix)) return undefined;
    const rest = pathname.slice(prefix.length);
    if (rest === 'tags/list')
      return Response.json({ name: repository, tags: Object.keys(tags) }, { headers });
    const [kind, reference = ''] = rest.split('/');
    const tagged = Object.hasOwn(tags, reference);
    const everything = reference.includes(':') ? [...new Set(Object.values(tags))] : [];
    const named = tagged ? [tags[reference]] : everything;
    const wanted = tagged ? 'latest' : reference;
    for (const sample of named) {
      const { method } = request;
      const init = { method, headers: request.headers };
      const answer = await samples.fetch(`${origin}/v2/${sample}/${kind}/${wanted}`, init);
      if (answer.status === 404) continue;
      for (const [name, value] of Object.entries(headers)) answer.headers.set(name, value);
      return answer;
    }
    return specError(404, kind === 'blobs' ? 'BLOB_UNKNOWN' : 'MANIFEST_UNKNOWN');
  };
}
