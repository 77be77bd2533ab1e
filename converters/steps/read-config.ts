import { fetchConfig, hasImageConfigType } from '../fetch.ts';
import type { ImageConfig } from '../image-config.ts';
import type { ConversionPorts } from '../ports.ts';
import type { ConversionStep, PreparedImage } from './step.ts';

/** Fetches the config, unless an earlier step has. @throws ConversionError as `fetchConfig`. */
export async function withConfigOf(
  prepared: PreparedImage,
  ports: ConversionPorts,
): Promise<PreparedImage & { config: ImageConfig }> {
  const config = prepared.config ?? (await fetchConfig(prepared.image, ports));
  return { ...prepared, config };
}

/** Fetches the config for the writer. An image stored as schema 1 has none. */
export const readConfig: ConversionStep = (prepared, ports) =>
  prepared.image.target.kind === 'v1' ? Promise.resolve(prepared) : withConfigOf(prepared, ports);

/**
 * Refuses a config that is not an image config, if its media type leaves that open: artifacts use
 * `application/octet-stream` too.
 */
export const verifyConfig: ConversionStep = async (prepared, ports) => {
  const { target } = prepared.image;
  if (target.kind !== 'config' || hasImageConfigType(target.descriptor)) return prepared;
  return withConfigOf(prepared, ports);
};
