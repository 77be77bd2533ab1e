import { fetchConfig, hasImageConfigType } from '../fetch.ts';
import type { ImageConfig } from '../image-config.ts';
import type { ConversionPorts } from '../ports.ts';
import type { ConversionStep, PreparedImage } from './step.ts';

export async function withConfigOf(
  prepared: PreparedImage,
  ports: ConversionPorts,
): Promise<PreparedImage & { config: ImageConfig }> {
  const config = prepared.config ?? (await fetchConfig(prepared.image, ports));
  return { ...prepared, config };
}

/** Brings the config along. @throws ConversionError when it is not what its descriptor says. */
export const readConfig: ConversionStep = (prepared, ports) =>
  prepared.image.target.kind === 'v1' ? Promise.resolve(prepared) : withConfigOf(prepared, ports);

/** Refuses a config of an uncertain type that is none: `application/octet-stream` occurs for artifacts too. */
export const verifyConfig: ConversionStep = async (prepared, ports) => {
  const { target } = prepared.image;
  if (target.kind !== 'config' || hasImageConfigType(target.descriptor)) return prepared;
  return withConfigOf(prepared, ports);
};
