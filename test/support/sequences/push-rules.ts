import { mediaTypes } from '../../../converters/media-types.ts';
import { isDigestText } from './call.ts';
import { isRead, manifestDigest, typeOf } from './manifest-rules.ts';
import type { Rule } from './rule.ts';

export const pushRules: readonly Rule[] = [
  {
    name: 'stored in another form',
    reason:
      'regshift stores a manifest that the registry refuses, or that REGSHIFT_PUSH_FORMAT is about, in another form, and ' +
      'answers with the digest of the push (docs/pushes.md).',
    async explains({ call, through }) {
      const isPush = call.kind === 'manifest' && call.method === 'PUT' && call.body !== undefined;
      if (!isPush || through.status !== 201 || through.header('Regshift-Stored-Digest') === undefined)
        return [];
      // Registries take a manifest without a type for schema 1 (distribution 2.8, manifest/schema1/manifest.go, `init`).
      const type = call.headers?.find(([name]) => name === 'Content-Type')?.[1] ?? mediaTypes.schema1;
      return (await manifestDigest(call.body, type)) === through.header('Docker-Content-Digest') ? 'all' : [];
    },
  },
  {
    name: 'refused in another form',
    reason:
      'A refused manifest that could be stored in another form is refused for what that form lacks (docs/pushes.md).',
    explains: ({ call, straight, through }, { settings }) =>
      call.method === 'PUT' &&
      settings.pushFormat !== 'asis' &&
      (straight.status === 400 || straight.status === 500) &&
      through.status === 400
        ? ['status', 'code', 'Content-Type', 'Cache-Control', 'message', 'detail']
        : [],
  },
  {
    name: 'digest of a push',
    reason:
      'The digest of a push whose manifest is stored in another form leads to the pushed bytes, and deletes the stored ' +
      'manifest (docs/pushes.md). docker-registry 2.8 keeps them for a pull if only the stored digest is deleted.',
    async explains({ call, through }, world) {
      const { reference } = call;
      if (call.kind !== 'manifest' || !isDigestText(reference)) return [];
      if (!world.storedAs.has(`${world.plainName(call.repository)}@${reference}`)) return [];
      if (call.method === 'DELETE') return through.status === 202 ? 'all' : [];
      if (!isRead(call) || through.header('Docker-Content-Digest') !== reference) return [];
      const isWhole = through.status === 200 && call.method === 'GET';
      return !isWhole || (await manifestDigest(through.body, typeOf(through))) === reference ? 'all' : [];
    },
  },
  {
    name: 'blobs as manifests',
    reason:
      'docker-registry 2.1 to 2.8 gives a blob as a manifest. regshift keeps pushed bytes as a blob, also of a push by ' +
      'tag that the registry then refuses (docs/pushes.md).',
    async explains({ call, straight, through }, world) {
      const { reference } = call;
      if (world.settings.pushFormat === 'asis' || call.kind !== 'manifest' || straight.status < 400)
        return [];
      if (!isDigestText(reference) || through.header('Docker-Content-Digest') !== reference) return [];
      const kept = await world.readBehind(`/v2/${world.plainName(call.repository)}/blobs/${reference}`);
      return kept.status === 200 && (await manifestDigest(kept.body, undefined)) === reference ? 'all' : [];
    },
  },
];
