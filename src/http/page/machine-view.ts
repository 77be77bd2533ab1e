import { html } from 'hono/html';
import { parseNamedImage } from '../../registry/inspection/named-image.ts';
import { onlyThisMachine } from '../loopback.ts';
import { type Html, linesHtml, linkedText, pageLink, shown } from './document.ts';
import { hostForPull, type MachineAddress, machineAddress } from './machine-address.ts';
import { type Machine, type MachineStep, machines } from './machines.ts';

/** The choices of a viewer for the instructions. */
export interface MachineQuery {
  /** The image for the lines. */
  readonly image?: string | undefined;
  /** The host of the proxy, as the viewer wrote it. */
  readonly host?: string | undefined;
}

/** Links to the instructions of all machines. */
export function machinesHtml(query: MachineQuery, chosen?: Machine): Html {
  return html`<ul class="choices">${machines.map(
    (machine) =>
      html`<li><a href="${pageLink({ machine: machine.id, ...query })}"${machine === chosen ? html` aria-current="page"` : ''}><strong>${machine.name}</strong> <span>${machine.engine}</span></a></li>`,
  )}</ul>`;
}

/** This proxy, as the viewer's browser reaches it. */
interface ReachedProxy {
  readonly address: string;
  /** The proxy listens on the loopback interface alone. */
  readonly listensLocally: boolean;
}

/** The instructions of a machine. */
export function machineHtml(
  machine: Machine,
  { address: page, listensLocally }: ReachedProxy,
  query: MachineQuery,
): Html {
  const proxy = machineAddress(page, query.host ?? '');
  // A viewer who reached the page by another name came by a server in front of the proxy.
  const isUnreachable = listensLocally && machineAddress(page, '').unusable !== undefined;
  const { address } = proxy;
  const steps = stepsFor(machine, { address, image: safeImage(query.image) });
  const isPlain = address.startsWith('http:');
  return html`<h1>Set up ${machine.name}</h1>
${isUnreachable ? html`<p class="failure">${onlyThisMachine}.</p>` : ''}
${hostHtml(machine, page, query, proxy)}
<p>${isPlain ? 'The proxy speaks plain HTTP: anyone on the network can read logins and change images. On a network that you do not trust, put TLS in front of it.' : 'The proxy speaks TLS.'}</p>
<ol class="steps">${steps.map(
    ({ text, lines }, at) =>
      html`<li><p>${linkedText(text, { ...query })}</p>${lines === undefined ? '' : linesHtml(lines, `the lines of step ${at + 1}`)}</li>`,
  )}</ol>
<h2>Undo it</h2>
<p>${machine.undo}</p>
<h2>Another machine</h2>
${machinesHtml(query, machine)}`;
}

/** The host in the lines, and a field for another one. */
function hostHtml(
  machine: Machine,
  page: string,
  query: MachineQuery,
  { address, unusable }: MachineAddress,
): Html {
  const { host } = new URL(address);
  const own = new URL(page).host;
  const about =
    unusable === undefined
      ? html`<p>These lines are for the proxy at <code>${address}</code>.</p>`
      : html`<p class="failure">${query.host ? `${shown(unusable)} is no name of a host, like ${host}.` : `Another machine does not reach this proxy at ${shown(unusable)}, as your browser does.`} In the lines, ${host} stands for its name: type that here.</p>`;
  return html`${about}
<form class="ask-image" method="get" action="./">
<input type="hidden" name="machine" value="${machine.id}">${query.image ? html`<input type="hidden" name="image" value="${shown(query.image)}">` : ''}
<label for="host">Name or address of the proxy on the network</label>
<div class="row">
<input id="host" name="host" value="${shown(query.host ?? '')}" placeholder="${host}" required maxlength="300" autocomplete="off" autocapitalize="none" spellcheck="false" aria-describedby="host-hint">
<button>Fill it in</button>
</div>
<p id="host-hint" class="hint">With <code>https://</code> if it speaks TLS. Without a port, the port of this page is meant.${unusable === own ? html` To pull on the machine of the proxy itself, use <a href="${pageLink({ machine: machine.id, ...query, host: own })}">${shown(own)}</a>.` : ''}</p>
</form>`;
}

/** The address of a proxy, and an image, for the lines. */
interface MachineTarget {
  /** Like `http://proxy.test:8080`. */
  readonly address: string;
  readonly image: string;
}

/** The steps of a machine for this proxy: those of its scheme, with its names in the lines. */
export function stepsFor({ steps }: Machine, { address, image }: MachineTarget): readonly MachineStep[] {
  const { protocol, host } = new URL(address);
  const pulled = hostForPull(new URL(address));
  return steps
    .filter(({ scheme }) => scheme === undefined || `${scheme}:` === protocol)
    .map(({ text, lines }) => ({ text, ...(lines === undefined ? {} : { lines: filled(lines) }) }));

  function filled(lines: string): string {
    return lines
      .replace(/(http:\/\/)?proxy\.example\.com(:8080)?/g, (_, scheme) =>
        scheme ? `${protocol}//${host}` : pulled,
      )
      .replaceAll('team/app:1.0', () => image);
  }
}

function safeImage(image: string | undefined): string {
  const parsed = image === undefined ? undefined : parseNamedImage(image);
  return image !== undefined && parsed && 'name' in parsed ? image : 'team/app:1.0';
}
