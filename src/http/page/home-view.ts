import { html } from 'hono/html';
import type { HealthReport } from '../health.ts';
import { onlyThisMachine } from '../loopback.ts';
import { type Html, linesHtml, pageLink } from './document.ts';
import { errorForm, imageForm } from './forms.ts';
import { hostForPull, machineAddress } from './machine-address.ts';
import { machinesHtml } from './machine-view.ts';

/** The settings that the first screen depends on. */
interface HomeOptions {
  /** Images to try; empty in front of a registry that may not have them. */
  readonly examples: readonly string[];
  /** The proxy listens on the loopback interface alone. */
  readonly listensLocally: boolean;
}

/** The first screen: what this is, whether it is healthy, and what to type. */
export function homeHtml(
  address: string,
  health: HealthReport,
  { examples, listensLocally }: HomeOptions,
): Html {
  const { host: own } = new URL(address);
  // A Host with characters of a shell becomes the name of the guides.
  const host = hostForPull(new URL(machineAddress(address, own).address));
  const isOwnMachine = machineAddress(address, '').unusable === own;
  return html`<section class="hero">
<h1>One registry, every client</h1>
<p>Pull from <strong>${host}</strong> as from any container registry. Each client gets an image in the form that it can read.</p>
${linesHtml(`docker pull ${host}/${examples[0] ?? 'team/app:1.0'}`, 'the command')}
${isOwnMachine ? ownMachineHtml(own, listensLocally) : ''}
${healthHtml(health)}
</section>
<section aria-labelledby="image-title">
<h2 id="image-title">What does each client get?</h2>
${imageForm('', true)}
${examples.length === 0 ? '' : html`<p class="examples">This is the sample registry. Try ${examples.map((name, at) => html`${at > 0 ? ', ' : ''}<a href="${pageLink({ image: name })}">${name}</a>`)}.</p>`}
</section>
<section aria-labelledby="machine">
<h2 id="machine">Set up my machine</h2>
${machinesHtml({})}
</section>
<section aria-labelledby="error-title">
<h2 id="error-title">I see this error</h2>
${errorForm()}
</section>`;
}

/** The note for a viewer on the machine of the proxy. */
function ownMachineHtml(host: string, listensLocally: boolean): Html {
  return listensLocally
    ? html`<p class="note">${onlyThisMachine}, and <a href="#machine">set them up</a> with the name of this one.</p>`
    : html`<p class="note">${host} is a name of this machine for itself. For another machine, <a href="#machine">set it up</a> with the name of this one.</p>`;
}

/** The state of the proxy and of its registries, in words of `/readyz`, and how it was found. */
export function healthHtml({ ready, upstreams, caches }: HealthReport): Html {
  const [states, mirrors] = [entriesOf(upstreams, false), entriesOf(upstreams, true)];
  const unknown = states.filter(([, state]) => state === 'not asked yet').length;
  const failing = states.filter(isFailing);
  const away = Object.entries(caches).filter(([, state]) => state === 'away');
  if (!ready) return stateHtml('bad', 'The proxy is stopping. Try again in a minute.');
  if (failing.length > 0) {
    const which = states.length === 1 ? 'The registry' : `${failing.length} of ${states.length} registries`;
    return stateHtml('bad', `${which} ${unusable(failing)}. Public images from the cache are still served.`);
  }
  const registries = states.length === 1 ? 'the registry answers' : `all ${states.length} registries answer`;
  const without = away.length === 0 ? '' : ` Without its cache: ${away.map(([name]) => name).join(', ')}.`;
  const found = unknown === 0 ? `Healthy: ${registries}.` : 'The proxy is up. No answer of the registry yet.';
  const lost = mirrors.filter(isFailing);
  const others =
    lost.length === 0
      ? ''
      : ` ${lost.length} of ${mirrors.length} mirrors ${unusable(lost)}: the others stand in.`;
  return stateHtml('good', `${found}${others}${without}`);
}

type State = readonly [id: string, state: string];

/** The states of the routes, or those of the single registries where a route has several. */
function entriesOf(upstreams: HealthReport['upstreams'], ofMirrors: boolean): State[] {
  // The id of such a registry is that of its route, and its address.
  return Object.entries(upstreams).filter(([id]) => / https?:\/\//.test(id) === ofMirrors);
}

function isFailing([, state]: State): boolean {
  return state !== 'answers' && state !== 'not asked yet';
}

function unusable(failing: readonly State[]): string {
  return `cannot be reached (${[...new Set(failing.map(([, state]) => state))].join(', ')})`;
}

function stateHtml(state: 'good' | 'bad', text: string): Html {
  return html`<p class="health ${state}"><span aria-hidden="true">${state === 'good' ? '✓' : '!'}</span> ${text}</p>
<p class="hint">The check is a request for <code>/v2/</code> of the registry without a login, when someone opens this page or asks <code>/readyz</code>, and not again within 10 seconds. It checks no login and no image.</p>`;
}
