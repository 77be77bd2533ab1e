import { html } from 'hono/html';
import { type Html, shown } from './document.ts';

/** The field for an image. It works without the script of the page, which adds suggestions. */
export function imageForm(image = '', autofocus = false): Html {
  return html`<form class="ask-image" method="get" action="./" role="search">
<label for="image">Image</label>
<div class="row">
<input id="image" name="image" value="${shown(image)}" placeholder="team/app:1.0" required maxlength="1000" autocomplete="off" autocapitalize="none" spellcheck="false" list="names" aria-describedby="image-hint"${autofocus ? html` autofocus` : ''}>
<button>Show</button>
</div>
<p id="image-hint" class="hint">A repository with a tag or a digest, or a line with it: a command, a Dockerfile, a web address.</p>
<datalist id="names"></datalist>
</form>`;
}

/** The field for an error message. */
export function errorForm(error = ''): Html {
  return html`<form method="get" action="./">
<label for="error">The text of the error</label>
<textarea id="error" name="error" rows="3" required maxlength="4000" spellcheck="false" placeholder="missing signature key">${error.split(/\r?\n/).map(shown).join('\n')}</textarea>
<button>Find it</button>
</form>`;
}
