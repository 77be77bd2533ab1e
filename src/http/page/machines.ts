/** A step of setting up a machine. */
export interface MachineStep {
  /** A link to another machine is `[CentOS 7](centos-7)`. */
  readonly text: string;
  /** Lines of the guide, with its names of the proxy and of the image. */
  readonly lines?: string;
  /** The step is for a proxy that clients reach by this scheme; absent: by both. */
  readonly scheme?: 'http' | 'https';
}

/** A kind of machine that pulls images. */
export interface Machine {
  readonly id: string;
  readonly name: string;
  /** The engines, in a few words. */
  readonly engine: string;
  /** The file in deploy/clients/ whose lines the steps have: a test holds them to it. */
  readonly guide: string;
  readonly steps: readonly MachineStep[];
  /** The way back, in the words of the guide. */
  readonly undo: string;
}

const pull: MachineStep = { text: 'Pull.', lines: 'docker pull proxy.example.com:8080/team/app:1.0' };

const insecureRegistries = `{
  "insecure-registries": ["proxy.example.com:8080"]
}`;

const intoFile =
  'If the file has settings, it stays one object: add the line inside its braces, with a comma between two settings. If ' +
  'it has this list, add the name to the list.';

const dockerCertificate: MachineStep = {
  text: 'If your own authority signed the certificate of the proxy, put the certificate of the authority here. No restart is needed.',
  lines: '/etc/docker/certs.d/proxy.example.com:8080/ca.crt',
  scheme: 'https',
};

const dockerInfo: MachineStep = {
  text: 'Check that the engine has read it.',
  lines: "docker info | grep -A3 'Insecure Registries'",
  scheme: 'http',
};

const restartDocker: MachineStep = {
  text: 'Restart the engine. That stops all containers, unless "live-restore": true was set before.',
  lines: 'systemctl restart docker',
  scheme: 'http',
};

const ofHub = 'Only for a proxy in front of Docker Hub (REGSHIFT_UPSTREAM=https://registry-1.docker.io):';

const hubMirror: MachineStep = {
  text: `${ofHub} add this line to the same file, and restart the engine. Images of Docker Hub then keep their names.`,
  lines: '"registry-mirrors": ["http://proxy.example.com:8080"]',
};

/** The instructions of the page, the machines of most users first. The guides say more. */
export const machines: readonly Machine[] = [
  {
    id: 'centos-7',
    name: 'CentOS 7, RHEL 7',
    engine: 'Docker 1.13, and 1.10 – 1.12',
    guide: 'centos7-docker-1.13.md',
    steps: [
      {
        text: `Write this to /etc/docker/daemon.json. ${intoFile}`,
        lines: insecureRegistries,
        scheme: 'http',
      },
      {
        text: 'Check the file: with a wrong one, the engine does not start. The same setting must not be in OPTIONS of /etc/sysconfig/docker, too.',
        lines: 'python -m json.tool /etc/docker/daemon.json',
        scheme: 'http',
      },
      restartDocker,
      dockerInfo,
      dockerCertificate,
      pull,
      hubMirror,
    ],
    undo: 'Remove the lines from /etc/docker/daemon.json, restart the engine, and remove the images with the name of the proxy by docker rmi. A container from such an image needs it until you create the container again.',
  },
  {
    id: 'docker-1.9',
    name: 'Docker 1.6 – 1.9',
    engine: 'and 1.3 – 1.5',
    guide: 'docker-1.6-to-1.9.md',
    steps: [
      {
        text: 'Debian, Ubuntu: set this in /etc/default/docker.',
        lines: 'DOCKER_OPTS="--insecure-registry proxy.example.com:8080"',
        scheme: 'http',
      },
      {
        text: 'CentOS, RHEL 6 and 7: add this to OPTIONS in /etc/sysconfig/docker (in 6 to other_args). boot2docker: to EXTRA_ARGS in /var/lib/boot2docker/profile.',
        lines: '--insecure-registry proxy.example.com:8080',
        scheme: 'http',
      },
      {
        text: 'Restart the daemon. That stops all its containers.',
        lines: 'service docker restart',
        scheme: 'http',
      },
      dockerCertificate,
      pull,
      {
        text: `${ofHub} from Docker 1.8 on, add this to the options of the daemon. Images of Docker Hub then keep their names.`,
        lines: '--registry-mirror http://proxy.example.com:8080',
      },
    ],
    undo: 'Remove the option, restart the daemon, and remove the images with the name of the proxy by docker rmi.',
  },
  {
    id: 'synology',
    name: 'Synology DSM',
    engine: 'Docker 17 – 20 of a NAS',
    guide: 'synology-qnap-docker-17-to-20.md',
    steps: [
      {
        text: 'On a shell of the NAS (SSH, as an administrator, then sudo -i), find the file of the engine after --config-file.',
        lines: "ps aux | grep '[d]ockerd'",
        scheme: 'http',
      },
      {
        text: 'Usually it is this file (before DSM 7.2: /var/packages/Docker/etc/dockerd.json). Keep a copy of it.',
        lines: '/var/packages/ContainerManager/etc/dockerd.json',
        scheme: 'http',
      },
      {
        text: `Add this setting to those of the vendor. ${intoFile}`,
        lines: insecureRegistries,
        scheme: 'http',
      },
      {
        text: 'Restart the package (before DSM 7.2: synopkg restart Docker). That stops all containers of the NAS.',
        lines: 'synopkg restart ContainerManager',
        scheme: 'http',
      },
      dockerInfo,
      dockerCertificate,
      pull,
      hubMirror,
    ],
    undo: 'Restore the copy of the file, restart the package, and remove the images with the name of the proxy by docker rmi.',
  },
  {
    id: 'qnap',
    name: 'QNAP',
    engine: 'Docker of Container Station',
    guide: 'synology-qnap-docker-17-to-20.md',
    steps: [
      {
        text: 'On a shell of the NAS (SSH, as an administrator), find the file of the engine after --config-file.',
        lines: "ps aux | grep '[d]ockerd'",
        scheme: 'http',
      },
      {
        text: "Usually it is this file; the volume's name may differ. Keep a copy of it.",
        lines: '/share/CACHEDEV1_DATA/.qpkg/container-station/etc/docker.json',
        scheme: 'http',
      },
      {
        text: `Add this setting to those of the vendor. ${intoFile}`,
        lines: insecureRegistries,
        scheme: 'http',
      },
      {
        text: 'Restart Container Station. That stops all containers of the NAS.',
        lines: '/etc/init.d/container-station.sh restart',
        scheme: 'http',
      },
      dockerInfo,
      {
        ...dockerCertificate,
        text: `${dockerCertificate.text} The folder may be lost after a restart of the NAS.`,
      },
      pull,
      hubMirror,
    ],
    undo: 'Restore the copy of the file, restart Container Station, and remove the images with the name of the proxy by docker rmi.',
  },
  {
    id: 'openshift-3',
    name: 'OpenShift 3',
    engine: "Red Hat's Docker 1.13",
    guide: 'openshift-3.md',
    steps: [
      {
        text: 'Add the proxy to the inventory of openshift-ansible. Keep the existing entries of the list.',
        lines: 'openshift_docker_insecure_registries=172.30.0.0/16,proxy.example.com:8080',
        scheme: 'http',
      },
      {
        text: 'Without openshift-ansible, set up each node like [CentOS 7](centos-7), one after the other. Drain it first.',
        lines: 'oc adm drain <node> --ignore-daemonsets --delete-local-data',
        scheme: 'http',
      },
      {
        text: 'If your own authority signed the certificate of the proxy, put the certificate of the authority here, on every node.',
        lines: '/etc/docker/certs.d/proxy.example.com:8080/ca.crt',
        scheme: 'https',
      },
      {
        text: 'Use the image of the proxy.',
        lines: 'oc set image dc/app app=proxy.example.com:8080/team/app:1.0',
      },
      { text: 'Check that a node has pulled it.', lines: 'oc get events | grep -i pull' },
    ],
    undo: 'Restore the old names with oc set image, remove the line from the inventory and the files, and restart docker on one node after the other.',
  },
  {
    id: 'containerd',
    name: 'containerd, k3s',
    engine: 'containerd 1.5 and later',
    guide: 'containerd.md',
    steps: [
      {
        text: 'containerd 2: add this to /etc/containerd/config.toml, once (containerd 1.5 to 1.7: version = 2 and io.containerd.grpc.v1.cri), and restart containerd.',
        lines: `version = 3
[plugins."io.containerd.cri.v1.images".registry]
  config_path = "/etc/containerd/certs.d"`,
      },
      {
        text: 'As a mirror of registry.example, which is the name in your images: write this to /etc/containerd/certs.d/registry.example/hosts.toml. No restart is needed.',
        lines: `server = "https://registry.example"

[host."http://proxy.example.com:8080"]
  capabilities = ["pull", "resolve"]`,
      },
      {
        text: 'If your own authority signed the certificate of the proxy, add this below capabilities.',
        lines: 'ca = "/etc/containerd/certs.d/registry.example/ca.crt"',
        scheme: 'https',
      },
      {
        text: 'Pull through the mirror.',
        lines: 'ctr images pull --hosts-dir /etc/containerd/certs.d registry.example/team/app:1.0',
      },
      {
        text: 'Or pull by name, without a file.',
        lines: 'ctr images pull --plain-http proxy.example.com:8080/team/app:1.0',
        scheme: 'http',
      },
    ],
    undo: 'Remove the folder of the registry below /etc/containerd/certs.d. Pulled images stay.',
  },
  {
    id: 'podman',
    name: 'podman, skopeo, buildah',
    engine: 'and CRI-O',
    guide: 'podman.md',
    steps: [
      {
        text: 'Add this to /etc/containers/registries.conf. insecure allows plain HTTP.',
        lines: `[[registry]]
location = "proxy.example.com:8080"
insecure = true`,
        scheme: 'http',
      },
      {
        text: 'If your own authority signed the certificate of the proxy, put the certificate of the authority here.',
        lines: '/etc/containers/certs.d/proxy.example.com:8080/ca.crt',
        scheme: 'https',
      },
      { text: 'Pull.', lines: 'podman pull proxy.example.com:8080/team/app:1.0' },
      {
        text: 'Or as a mirror of registry.example, which is the name in your images: write this in place of the lines above.',
        lines: `[[registry]]
location = "registry.example"

[[registry.mirror]]
location = "proxy.example.com:8080"
insecure = true`,
        scheme: 'http',
      },
    ],
    undo: 'Remove the lines from /etc/containers/registries.conf.',
  },
  {
    id: 'kubernetes',
    name: 'Kubernetes',
    engine: 'the runtime of each node',
    guide: 'kubernetes.md',
    steps: [
      {
        text: 'The runtime of the node pulls, not the pod. Over plain HTTP, set up each node first: [containerd](containerd), [CRI-O](podman) or [Docker](centos-7).',
        scheme: 'http',
      },
      { text: 'Name the proxy in the pods.', lines: 'image: proxy.example.com/team/app:1.0' },
      { text: 'Check it on a node.', lines: 'crictl pull proxy.example.com/team/app:1.0' },
      {
        text: 'For private repositories, create a pull secret for the name of the proxy, with an account of the registry.',
        lines:
          'kubectl create secret docker-registry regshift --docker-server=proxy.example.com --docker-username=… --docker-password=…',
      },
    ],
    undo: 'Restore the old names of the images, and remove the settings of the proxy from the nodes.',
  },
];
