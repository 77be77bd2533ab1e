import { type NodeCosts, nodeCosts, type WorkerCosts, workerCosts } from './costs.ts';
import type { Site } from './site.ts';
import { millionDownloads, millionPulls, newIsolatesPerDay, tenThousandMachines } from './sites.ts';
import { nodeTable, rounded, table, ttlTable, workersTable } from './tables.ts';

const ttls = [0, 10, 30, 300, 3600];

/** Writes docs/capacity.md from the measured figures of RESULTS.md. */
export function capacityPage(results: string): string {
  const node = nodeCosts(results);
  const worker = workerCosts(results);
  return [head(node), ofMachines(tenThousandMachines, node), ofWorkers(worker), tail(node)].join('\n');
}

function head(costs: NodeCosts): string {
  const ms = (value: number) => `${rounded(value)} ms`;
  const rows = [
    ['ping of `/v2/`, which regshift passes to the registry', ms(costs.pingMs)],
    ['manifest that regshift remembers, within `REGSHIFT_TAG_TTL`', ms(costs.rememberedMs)],
    ['the same without a line of log (`LOG_LEVEL=warn`)', ms(costs.rememberedSilentMs)],
    ['the same after `REGSHIFT_TAG_TTL`: one `HEAD` to the registry', ms(costs.revalidatedMs)],
    ['first request for an image, converted from OCI to schema 2', ms(costs.coldSchema2Ms)],
    ['the same, converted to signed schema 1', ms(costs.coldSchema1Ms)],
    ['first request to a replica for an image that another one has converted', ms(costs.sharedMs)],
    ['config', ms(costs.configMs)],
    ['layer', `${ms(costs.layerMs)}, and ${rounded(costs.layerMsPerGiB / 1000)} s for each GiB`],
    ['a replica without requests', `${ms(costs.idleMsPerSecond)} a second`],
  ];
  return `# Capacity

<!-- \`npm run capacity:docs\` writes this page from test/bench/RESULTS.md by the formulae in test/bench/capacity. -->

This page says what regshift needs for a number of machines, and what it costs. A clone computes other sites:

\`\`\`sh
npm run capacity -- --machines 10000 --pulls-per-day 24 --images 5000 --replicas 2 --ttl 30
npm run capacity -- --machines 1000000 --pulls-per-day 1 --workers
npm run capacity -- --help
\`\`\`

The figures are from the machine of [RESULTS.md](../test/bench/RESULTS.md), two shared cores of a cloud machine of 2026, where a [compressed day](#a-day-compressed) agreed with them to a fifth. From one measurement to the next, the fixed cost of a layer doubled, and the other costs varied by up to two fifths. A bare Node server takes ${ms(costs.referenceMs)} of CPU for a request there, with a connection for each request; the figures of another machine are as much larger or smaller as its figure for that.

## What a request costs

CPU time on Node, at about 40 requests a second in a process. Each request has its own connection, without TLS: Docker closes its connection after each response. A request costs that much because the process wakes up for it. A process that is busy all the time, on connections that stay open, needs less than a tenth for a remembered manifest ([RESULTS.md](../test/bench/RESULTS.md)).

${table(['request', 'CPU'], rows)}

| for each image in one form | bytes |
| --- | --- |
| memory of a replica, as regshift counts it | ${rounded(costs.memoryBytesPerImage / 1024)} KiB |
| \`REGSHIFT_CACHE_BYTES\`, so that the replica keeps it | ${rounded(costs.cacheBytesPerImage / 1024)} KiB |
| Redis | ${rounded(costs.redisBytesPerImage / 1024)} KiB |

The image has ten layers and 20 history entries; memory grows with both. \`REGSHIFT_CACHE_BYTES\` must be larger than the memory that an image takes, because each kind of content has a fixed part of it ([operations.md](operations.md#memory)). With the default of 64 MiB, a replica keeps the whole responses of the ${rounded((64 * 2 ** 20) / costs.cacheBytesPerImage)} images that clients requested last. The others cost more than in the tables below: at most as much as an image that another replica has converted.
`;
}

function ofMachines(site: Site, costs: NodeCosts): string {
  return `## 10,000 machines

Each machine checks an image once an hour, and ${rounded(100 * site.downloadShare)} % of the pulls download a config and ${site.layersPerDownload} layers of ${site.layerMiB} MiB. There are ${site.images.toLocaleString('en')} images; the n-th is pulled 1/n times as often as the first. The busiest hours have up to eight times the pulls of the quietest one. Each day has two deployments of a new image, which ${site.machinesOfDeployment.toLocaleString('en')} machines pull within ten minutes. The ${site.replicas} replicas share a Redis, all clients are Docker 1.13, and \`REGSHIFT_TAG_TTL\` is ${site.ttlSeconds}. The images are public, or all machines have one login: the proof of access of a login serves no other login, so machines with separate logins ask the registry as often as with \`REGSHIFT_TAG_TTL=0\`.

${nodeTable(site, costs)}

Each replica must be able to do all the work alone, for the time when the other one is away. The layers take most of the CPU: with \`REGSHIFT_BLOBS=redirect\`, clients get them from the registry's storage, and the replica only redirects. If regshift speaks TLS itself, a handshake for each connection and the encryption of layers come on top; they are not measured here.

### The time to live of a tag

${ttlTable(site, costs, ttls)}

A \`HEAD\` is a light request, and [Docker Hub does not count it](pull-limits.md). A long \`REGSHIFT_TAG_TTL\` saves few of them: most images are pulled less often than once in its time.
`;
}

function ofWorkers(costs: WorkerCosts): string {
  const sites = [
    { name: '5 % of the pulls download 5 layers', site: millionPulls },
    { name: 'each pull downloads 10 layers', site: millionDownloads },
  ];
  return `## A million pulls a day on Workers

The prices are those of Cloudflare's documentation in November 2026 ([Workers](https://developers.cloudflare.com/workers/platform/pricing/), [KV](https://developers.cloudflare.com/kv/platform/pricing/)); check the current ones. The use is an upper bound. Each manifest is read from KV, although an isolate remembers the ones that it sent last. The CPU is that of the whole workerd process, of which Cloudflare counts a part; most of it is the copying of layers of 30 MiB. ${newIsolatesPerDay.toLocaleString('en')} isolates start each day, and compile the code.

${workersTable(sites, costs, newIsolatesPerDay)}

Cloudflare bills neither the requests of a Worker to the registry nor the traffic. With \`REGSHIFT_BLOBS = "redirect"\`, layers cost a request and no copying. A Worker may send 10,000 requests for one request of a client, and regshift stops at \`REGSHIFT_SUBREQUESTS\` ([cloudflare.md](../deploy/cloudflare.md)).
`;
}

function tail({ memoryBytes }: NodeCosts): string {
  return `## The formulae

- **Requests to the registry.** A replica asks the registry about an image, and the answer serves all requests of the next \`REGSHIFT_TAG_TTL\` seconds. The first request after that asks again. Of r requests a second that come by chance, r / (1 + r × TTL) ask the registry. The sum goes over all images and all hours of the day. Each replica has its own part of the requests, and asks for itself.
- **First requests.** An image with a mean of n requests a day has at least one with the chance 1 − e⁻ⁿ. The first request to a replica is a \`GET\`, all later ones are \`HEAD\`s. The first request in the whole site makes the conversion, and the other replicas get it from Redis.
- **Counted pulls.** Where the registry counts pulls, a \`HEAD\` comes first, and replicas get the manifest from Redis. So an image costs one counted pull, and an image in an index two, for all replicas and clients together, until its content changes or Redis forgets it.
- **CPU and memory.** Each kind of request counts with its cost, and each image with its bytes. A replica without images takes ${rounded(memoryBytes / 2 ** 20)} MiB.

## A day, compressed

\`npm run capacity:day\` draws the pulls of a day by these rules (12,000 pulls by chance and three deployments, 5,000 images) and sends them in five minutes to two real replicas with a real Redis. The registry is a program that counts its requests. All times shrink 288 times: \`REGSHIFT_TAG_TTL\` is one second there, the shortest there is, and stands for five minutes. Night, working hours and deployments are 288 times as dense as on a real day. Content is not compressed: each image is a separate one, and each download has all of its bytes. The command compares CPU, requests and memory with the formulae, and fails where a figure differs by more than a fifth. [RESULTS.md](../test/bench/RESULTS.md#a-day-compressed) has the figures.

Other programs on the same processor make each request dearer. So each cost is measured beside a bare Node server that gets a request now and then, and in relation to its cost. The day has no such correction. For another machine, put the rows of \`npm run bench -- --only capacity\` into RESULTS.md first.
`;
}
