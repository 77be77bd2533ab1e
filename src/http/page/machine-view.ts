import { html } from 'hono/html';
import { parseNamedImage } from '../../registry/inspection/named-image.ts';
import { type Html, linesHtml, pageLink } from './document.ts';
import { type Machine, machines, stepsFor } from './machines.ts';

/** Links to the instructions of all machines. @param image for the lines of the instructions. */
export function machinesHtml(image: string | undefined, chosen?: Machine): Html {
  return html`<ul class="choices">${machines.map(
    (machine) =>
      html`<li><a href="${pageLink({ machine: machine.id, image })}"${machine === chosen ? html` aria-current="page"` : ''}><strong>${machine.name}</strong> <span>${machine.engine}</span></a></li>`,
  )}</ul>`;
}

/** The instructions of a machine, with the address of this proxy. */
export function machineHtml(machine: Machine, address: string, image: string | undefined): Html {
  const target = { address: safeAddress(address), image: safeImage(image) };
  const steps = stepsFor(machine, target);
  const isPlain = target.address.startsWith('http:');
  return html`<h1>Set up ${machine.name}</h1>
<p>These lines are for <code>${target.address}</code>. ${isPlain ? 'It speaks plain HTTP: anyone on the network can read logins and change images. On a network that you do not trust, put TLS in front of it.' : 'It speaks TLS.'}</p>
<ol class="steps">${steps.map(
    ({ text, lines }, at) =>
      html`<li><p>${text}</p>${lines === undefined ? '' : linesHtml(lines, `the lines of step ${at + 1}`)}</li>`,
  )}</ol>
<p class="note">More, with mirrors and how to undo it, is in deploy/clients/${machine.guide} of the sources.</p>
<h2>Another machine</h2>
${machinesHtml(image, machine)}`;
}

/** The address for lines that people run in a shell: a host may have other characters in a header. */
function safeAddress(address: string): string {
  return /^https?:\/\/[\w.:[\]-]+$/.test(address) ? address : 'http://proxy.example.com:8080';
}

function safeImage(image: string | undefined): string {
  const parsed = image === undefined ? undefined : parseNamedImage(image);
  return image !== undefined && parsed && 'name' in parsed ? image : 'team/app:1.0';
}
