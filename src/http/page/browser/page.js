// The script of the page: buttons that copy, suggestions for images, and long errors. Every function of the page works without it.

// Screen readers read a status when it changes, but not the new text of a button (ARIA 1.2, `status`).
const said = document.createElement('p');
said.className = 'hidden';
said.setAttribute('role', 'status');
document.querySelector('main')?.append(said);

for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (
  document.querySelectorAll('button.copy')
)) {
  button.hidden = false;
  button.addEventListener('click', () => void copyLines(button));
}

/**
 * Copies the lines beside a button, and says so on it for a moment.
 * @param {HTMLButtonElement} button
 */
async function copyLines(button) {
  const lines = button.parentElement?.querySelector('code');
  if (!lines) return;
  const isCopied = await copyText(lines.textContent ?? '', lines);
  const label = button.firstChild;
  if (!label) return;
  label.textContent = isCopied ? 'Copied' : 'Press Ctrl+C';
  said.textContent = isCopied ? `Copied: ${lines.textContent}` : 'Press Ctrl+C';
  setTimeout(() => {
    label.textContent = 'Copy';
  }, 2000);
}

/**
 * Browsers have a clipboard on https: and on this machine only. Elsewhere the lines are selected, and the older command
 * copies them.
 * @param {string} text
 * @param {Node} node
 * @returns {Promise<boolean>}
 */
async function copyText(text, node) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const range = document.createRange();
    range.selectNodeContents(node);
    const selection = getSelection();
    selection?.removeAllRanges();
    selection?.addRange(range);
    return document.execCommand('copy');
  }
}

const field = document.querySelector('#image');
const names = document.querySelector('#names');
if (field instanceof HTMLInputElement && names) {
  // Suggestions cost a request to the registry, so they wait for a user who types.
  field.addEventListener('input', () => void suggest(names), { once: true });
}

/**
 * Fills the list of suggestions.
 * @param {Element} list
 */
async function suggest(list) {
  const response = await fetch('./page/names', { headers: { Accept: 'application/json' } }).catch(
    () => undefined,
  );
  if (!response?.ok) return;
  const found = /** @type {string[]} */ (await response.json());
  list.replaceChildren(
    ...found.map((name) => {
      const option = document.createElement('option');
      option.value = name;
      return option;
    }),
  );
}

const error = document.querySelector('#error');
if (error instanceof HTMLTextAreaElement) {
  // A browser cuts a pasted text at its end, where a terminal has the error.
  error.removeAttribute('maxlength');
  error.form?.addEventListener('submit', () => {
    error.value = endOf(error.value);
  });
}

/**
 * The end of a text that fits into an address: servers take a few thousand bytes.
 * @param {string} text
 * @returns {string}
 */
function endOf(text) {
  const end = text.slice(-4000);
  return new URLSearchParams({ end }).toString().length < 8000 ? end : endOf(end.slice(end.length / 4));
}
