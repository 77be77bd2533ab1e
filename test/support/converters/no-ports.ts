import type { ConversionContext } from '../../../converters/index.ts';

const none = (what: string) => () => Promise.reject(new Error(`${what} was asked for`));

/** For conversions that need nothing from outside. */
export const noPorts: ConversionContext = {
  ports: {
    fetchManifest: none('a manifest'),
    fetchBlob: none('a blob'),
    sniffLayer: none('the first bytes of a layer'),
    layerFacts: none('a layer'),
    signingKey: none('a key'),
  },
  name: 'library/test',
  tag: 'latest',
  unpackZstd: false,
};
