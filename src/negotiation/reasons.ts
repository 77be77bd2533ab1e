/** The reason of a selection. `regshift explain` prints it as a phrase. */
export type Reason = keyof typeof reasons;

const reasons = {
  'takes-anything': 'Accept names no manifest type and has a wildcard: such a client gets what is stored',
  'has-no-other-form': 'it has no other form, and the client names its type or a wildcard',
  'reads-it': 'the client reads what is stored',
  'reads-nearest':
    'the client does not read the stored form; of the forms that it reads, this one loses least',
  'prefers-it': 'the client names this form with a higher q than the stored one',
  'reads-no-index': 'the client reads no form of index, so the image of its platform is chosen',
  'reads-no-form': 'the client reads no form that this can be converted to',
  'indexes-alone': 'the client names indexes and no image: it gets schema 1, as from docker-registry 2.8',
  'entries-unread': 'the client reads such an index, but not the type of every image in it',
  'zstd-layers':
    'the client reads this form, but cannot decompress its zstd layers, or gets none (REGSHIFT_LAYERS)',
  'zstd-inside':
    'the client reads this index, but cannot decompress the zstd layers of its image, or gets none (REGSHIFT_LAYERS)',
  'docker-zstd-type': 'the client reads schema 2, but not the type that Docker has for zstd layers',
  'nested-index': 'the client reads such an index, but no index inside it',
  unsigned: 'it is stored without the signature that Docker from 1.10 on wants',
  'mixed-types': 'the manifest has OCI types, which this client does not know',
  untyped: 'the manifest does not state its mediaType, which this client wants',
  pinned: 'the form is pinned for every client',
  'one-of-list': 'the registry counts each image of an index as a pull, or one image is set: REGSHIFT_LISTS',
  'index-one': 'one image is set for each index: REGSHIFT_INDEX',
  'no-attestations': 'attestations are left out for this client: REGSHIFT_ATTESTATIONS, or its rule',
  'digest-named': 'a digest names bytes, and the client reads this form',
} as const;

/** The phrase of a reason for people, without a full stop. */
export function phraseOf(reason: Reason): string {
  return reasons[reason];
}
