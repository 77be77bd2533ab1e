import { describe, expect, it } from 'vitest';
import { createSampleRegistry } from '../../../src/sample-registry/registry.ts';
import { sampleTree } from '../../support/sample-tree.ts';

/**
 * The digests of every manifest, children first, the tagged one last. A change here must be intended: it changes the
 * README and the values that other tests compare with.
 */
const frozen: Record<string, readonly string[]> = {
  'sample/generic': ['sha256:88aaf831640b1ab4c49dff35eb024d0fb8fe42bd7e495f365e9c92d1f759f5dd'],
  'sample/generic-993': ['sha256:572ffc28de6ab95b766bedf8fb18df82fa923cfdf24946f5e12038d4bb639b0a'],
  'sample/generic-v1-target': ['sha256:49966b56f1c067e875f2b805f2c8b63a6e9a02c3b1ddb31470a3cc10de5d6ee1'],
  'sample/fat-generic': [
    'sha256:9579d35892a6f979c7efa404c17e945a88994646bf0ffd2e8bab990048d6ab19',
    'sha256:0e5a9c3be496aeedb8f45e785a2dbed8bc325c99894bdc37fbca9bbb0824c3c7',
    'sha256:0484484b01ce7bbd73ce3fddef2447474673bc92d34c508d3c4bb746fafeffa3',
  ],
  'sample/fat-generic-table': ['sha256:3c128cfc4b6b22f6227174792108c3c8cb7cbab65199e780261aefff21ecd886'],
  'sample/schema1': ['sha256:c2c15774d5250ddbd510c276d3ad768adfdbc6c25b4f7721ddc7bff2489a3c74'],
  'sample/schema1-unsigned': ['sha256:a1cde17b4680e3dae91955c0adbfbc9005822d82a3ea825a38175f3e1f492808'],
  'sample/schema2': ['sha256:be72eab76bedf92ef6f40e31edd71efa1a3b31269585994c10eacdee45343b9c'],
  'sample/schema2-empty-layers': ['sha256:91d55e4a1734474d5b3b97f65b0ac3298171d76b8ff44cc6377af8a616bf310d'],
  'sample/schema2-plain-tar': ['sha256:7cbae50fd64ebae224b9e5416abc607e5fd685e472ca2b88a91b41e811ef8fb1'],
  'sample/list': [
    'sha256:0d2e81c4f0dee569b4f9ebba8442c8bb3717eb748c0f5713e3c93e96fbed8b59',
    'sha256:b65c38ee25fee8a05a587a75e7bd342181ef0c104a2cab273eded468d4887b2f',
    'sha256:c0ba34e0abba9616d6d0b4f32706a217bff96fcb0c57125630631ed51d49b80f',
    'sha256:ea420c033feebe1303e35aaaa4c84d09cb716dfa003a4ed4adec5cde145ae97f',
  ],
  'sample/oci': ['sha256:1f42a1d15e805f30fac7151338aa0238a96efe468259949be02815833c7a0349'],
  'sample/oci-no-history': ['sha256:708612d06dbee1f57aefde04409cf2b30fc228f1881176f2cb66df5bab73b0e2'],
  'sample/oci-zstd': ['sha256:f35d695eb402c3584d775688535abd8a1bf8bd5b6175c42a86a3008cfa0cc666'],
  'sample/index': [
    'sha256:59828ca0aab0322224a95aad48230d2a3d9020635cda096b462f00d8908cd3fc',
    'sha256:f9357f74868e2f1380064f7d1c1c879a8f5ca687afb982b4e070eb854db609be',
    'sha256:249c0863478a645ff246d9fb8a08c35ff33ce89f0db8bab2f8e509f943fec322',
    'sha256:ec7cf5e59a1aa96699fe228192819654af78634ab1f0679b6b6e3d32edf28d41',
    'sha256:b9abcdfea9d90bfd7204b67e22851113de23ef6cc2ea92a34812c3f5e20421d3',
  ],
  'sample/index-arm': [
    'sha256:6e1652367be3799eabbdc63b1d973ff19bc67a68f05c3ccea6acd459f29e4fc2',
    'sha256:9fac6344be440b928437d4f743aed27491bc5ea32a681ff6291fb8784f26e277',
    'sha256:590a093dbe78c89aa7cd1526fe62438812548ce016a691262d04afd092660245',
    'sha256:200db908babbbd62c9a9c53c872f38afa67108ce35af110a79927954ad43d9fa',
    'sha256:b1c5b3af6c30631f830fa09a7857ae19b83505d9f86528ece63340d431abbfc6',
    'sha256:5784b93f1458c7db1202d0d71386e1d6b2c6df549fcb444d7c28105557262d0f',
  ],
  'sample/index-zstd': [
    'sha256:2c8e61c6563fd189bff62b900b133b543137357765227918f3373035a2a4cf98',
    'sha256:96a3ccfa6ce955dd8c3b0dfbe2caf82d9c3b8567e9c9393f7caa9573980c6fc1',
    'sha256:a8932c46b7096e9c23ff3a8bf5a66ad4e854fb02182e9eabbd395c33d69eae9f',
  ],
  'sample/helm-chart': ['sha256:3ed856c24468b148fefd44c38a6819263830145b7151cdc9e84f52d2c866d62d'],
};

describe('the samples never change', () => {
  const registry = createSampleRegistry();

  it('are the ones in the table', () => {
    expect(Object.keys(frozen)).toEqual(registry.repositories.map((repository) => repository.name));
  });

  it.each(Object.entries(frozen))('%s', async (name, digests) => {
    const { manifests } = await sampleTree(registry, name);
    expect(manifests.map((manifest) => manifest.digest)).toEqual(digests);
  });
});
