import { builderShapes } from './builder-shapes.ts';
import { builtRepository } from './built-repository.ts';
import { pushImage } from './push.ts';

/**
 * Pushes an image in the shape of a builder, as `latest`. A registry wants an index after the manifests that it names.
 * @param shape a name in `builderShapes`. @returns the digest of what the tag names, in the registry's response.
 */
export async function pushShape(url: string, repository: string, shape: string): Promise<string> {
  const found = builderShapes.find(({ name }) => name === shape);
  if (!found) throw new Error(`there is no shape ${shape}`);
  const built = builtRepository(repository);
  found.add(built);
  const manifests = [...built.manifests.values()];
  return pushImage(url, repository, 'latest', { blobs: [...built.blobs.values()], manifests });
}
