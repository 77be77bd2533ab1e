import { artifact, type DescribedTool, empty, index, on } from '../described-tool.ts';

const created = '2024-05-06T07:08:09Z';
const date = '2026-11-29';
const title = (name: string) => ({ annotations: { 'org.opencontainers.image.title': name } });
const pushed = { annotations: { 'org.opencontainers.image.created': created } };
const trivy = 'application/vnd.aquasec.trivy.config.v1+json';
const falcoSource = {
  annotations: { 'org.opencontainers.image.created': created, 'org.opencontainers.image.source': 's' },
};

/** Databases and rules of security scanners, and a catalogue's metadata. */
export const scanners: readonly DescribedTool[] = [
  {
    tool: 'Trivy',
    source: 'https://github.com/aquasecurity/trivy-db/blob/main/README.md',
    date,
    images: {
      database: artifact(
        [empty[0], {}, { data: 'e30=' }],
        [['application/vnd.aquasec.trivy.db.layer.v1.tar+gzip', 'db', title('db.tar.gz')]],
        { artifactType: trivy, ...pushed },
      ),
      'database of ORAS before 1.0': artifact(
        [trivy, {}],
        [['application/vnd.aquasec.trivy.javadb.layer.v1.tar+gzip', 'db', title('javadb.tar.gz')]],
        { mediaType: undefined },
      ),
    },
  },
  {
    tool: 'falcoctl',
    source: 'https://github.com/falcosecurity/falcoctl/blob/main/pkg/oci/pusher/pusher.go',
    date,
    images: {
      rules: artifact(
        [
          'application/vnd.cncf.falco.rulesfile.config.v1+json',
          {
            name: 'r',
            version: '1',
            dependencies: [{ name: 'p', version: '1', alternatives: [{ name: 'q', version: '1' }] }],
            requirements: [{ name: 'engine', version: '1' }],
          },
        ],
        [['application/vnd.cncf.falco.rulesfile.layer.v1+tar.gz', 'r', title('r.tar.gz')]],
        pushed,
      ),
      plugin: index(
        [
          [
            artifact(
              ['application/vnd.cncf.falco.plugin.config.v1+json', { name: 'p', version: '1' }],
              [['application/vnd.cncf.falco.plugin.layer.v1+tar.gz', 'p', title('p.tar.gz')]],
              falcoSource,
            ),
            on('amd64'),
          ],
        ],
        { members: { annotations: { 'org.opencontainers.image.source': 's' } } },
      ),
      asset: artifact(
        ['application/vnd.cncf.falco.asset.config.v1+json', { name: 'a', version: '1' }],
        [['application/vnd.cncf.falco.asset.layer.v1+tar.gz', 'a', title('a.tar.gz')]],
        pushed,
      ),
    },
  },
  {
    tool: 'Artifact Hub',
    source: 'https://github.com/artifacthub/hub/blob/master/docs/helm_charts_repositories.md',
    date,
    images: {
      metadata: artifact(
        ['application/vnd.cncf.artifacthub.config.v1+yaml', {}],
        [
          [
            'application/vnd.cncf.artifacthub.repository-metadata.layer.v1.yaml',
            'y',
            title('artifacthub-repo.yml'),
          ],
        ],
      ),
    },
  },
];
