import type { Digest } from '../../../converters/digest.ts';
import { ConversionError, unlessUnreadable } from '../../../converters/errors.ts';
import type { Model } from '../../../converters/model.ts';
import type { TakeTurn } from '../../../converters/ports.ts';
import { readManifest } from '../../../converters/read.ts';
import type { RepositoryName } from '../../../converters/reference.ts';
import { joinKey } from '../../cache/key.ts';
import type { MemoryBudget } from '../../cache/memory-budget.ts';
import { ignoring, isDecided } from '../../errors.ts';
import { findBlob } from '../../upstream/api/blobs.ts';
import type { UpstreamClient } from '../../upstream/client.ts';
import type { RequestContext } from '../../upstream/request-context.ts';
import type { Resolution } from '../../upstream/resolution.ts';
import type { ContentStore, StoredManifest } from '../content-store.ts';
import type { Resolver } from '../resolver.ts';
import type { ManifestConverter } from './converter.ts';
import { isComplete } from './derived-manifest.ts';
import { convertPushed, type TargetForm, targetFormsOf } from './target-forms.ts';

/** A manifest that was pushed in a form that the registry does not take, and the one that is stored in its place. */
export interface KeptManifest {
  readonly digest: Digest;
  readonly manifest: StoredManifest;
  /** The manifest that the registry has in its place, with the right of this request to it. */
  readonly stored: Resolution;
}

export interface KeptManifests {
  /**
   * Finds a manifest under the digest that its pusher computed. The registry has its bytes as a blob. They count as a
   * manifest only while the registry gives this request the manifest that their conversion yields: a deleted or blocked
   * image stays so.
   * @returns undefined where there is none, or the request has no right to it.
   * @throws RegistryError if upstream fails, or UNSUPPORTED while layers are still read for the conversion.
   */
  find(
    repository: RepositoryName,
    digest: Digest,
    context: RequestContext,
  ): Promise<KeptManifest | undefined>;
}

export interface KeptManifestsOptions {
  readonly client: UpstreamClient;
  readonly content: Pick<ContentStore, 'getBlob'>;
  readonly converter: Pick<ManifestConverter, 'ports'>;
  readonly resolver: Pick<Resolver, 'resolve'>;
  readonly memory: MemoryBudget;
  /** Called before a document is read. */
  readonly turn: TakeTurn;
}

export function createKeptManifests(options: KeptManifestsOptions): KeptManifests {
  const { client, content, converter, resolver, memory, turn } = options;
  /** The digests of conversions; they depend on content alone and give no right to it. */
  const conversions = memory.table<Digest>('manifest-facts');

  async function conversionOf(
    repository: RepositoryName,
    model: Model,
    form: TargetForm,
    context: RequestContext,
  ): Promise<Digest | undefined> {
    const key = joinKey(repository, model.source.digest, form);
    const known = conversions.get(key);
    if (known) return known;
    try {
      const ports = converter.ports(repository, context);
      const converted = await convertPushed(model, form, repository, ports);
      // An index whose images are not all there was not stored like this.
      if (!isComplete(converted)) return undefined;
      conversions.set(key, converted.digest);
      return converted.digest;
    } catch (error) {
      if (error instanceof ConversionError) return undefined;
      throw error;
    }
  }

  return {
    async find(repository, digest, context) {
      // The bytes may be cached: the request has a right to them all the same.
      const isThere = await findBlob(client, repository, digest, context).catch(unlessNone);
      if (isThere === undefined) return undefined;
      const bytes = await content.getBlob(repository, digest, context).catch(unlessNone);
      if (bytes === undefined) return undefined;
      await turn(bytes.length);
      const model = unlessUnreadable(() => readManifest(bytes));
      if (model?.source.digest !== digest) return undefined;
      for (const form of targetFormsOf(model)) {
        const converted = await conversionOf(repository, model, form, context);
        const reference = converted && ({ kind: 'digest', digest: converted } as const);
        const stored =
          reference && (await resolver.resolve(repository, reference, context).catch(unlessNone));
        if (!stored) continue;
        const contentType = model.source.mediaType;
        return { digest, manifest: { bytes, contentType }, stored };
      }
      return undefined;
    },
  };
}

/** A blob that is no document, or that upstream does not have or give, is no manifest. */
const unlessNone = ignoring((error) => error instanceof ConversionError || isDecided(error));
