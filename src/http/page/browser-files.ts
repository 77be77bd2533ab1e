// Written by `npm run page:files`: the program has no other way to this text that works in a clone, in the package and
// in the Worker alike.

/** The script of the page: browser/page.js without comments and indentation. */
export const pageScript = `const said = document.createElement('p');
said.className = 'hidden';
said.setAttribute('role', 'status');
document.querySelector('main')?.append(said);
for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (
document.querySelectorAll('button.copy')
)) {
button.hidden = false;
button.addEventListener('click', () => void copyLines(button));
}
async function copyLines(button) {
const lines = button.parentElement?.querySelector('code');
if (!lines) return;
const isCopied = await copyText(lines.textContent ?? '', lines);
const label = button.firstChild;
if (!label) return;
label.textContent = isCopied ? 'Copied' : 'Press Ctrl+C';
said.textContent = isCopied ? \`Copied: \${lines.textContent}\` : 'Press Ctrl+C';
setTimeout(() => {
label.textContent = 'Copy';
}, 2000);
}
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
field.addEventListener('input', () => void suggest(names), { once: true });
}
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
error.removeAttribute('maxlength');
error.form?.addEventListener('submit', () => {
error.value = endOf(error.value);
});
}
function endOf(text) {
const end = text.slice(-4000);
return new URLSearchParams({ end }).toString().length < 8000 ? end : endOf(end.slice(end.length / 4));
}
`;

/** The style of the page: browser/page.css without comments and white space. */
export const pageStyle = `:root{color-scheme:light dark;--paper:light-dark(#fbfaf8,#15171a);--panel:light-dark(#ffffff,#1c1f23);--ink:light-dark(#1d2125,#e8e6e1);--soft:light-dark(#575e66,#a4abb3);--line:light-dark(#e2dfd9,#30353b);--accent:light-dark(#0b5c75,#6cc4de);--on-accent:light-dark(#ffffff,#0c1a20);--good:light-dark(#1f6b3a,#7ecb97);--bad:light-dark(#9f2f22,#f0988a);--added:light-dark(#dcf1e2,#17351f);--removed:light-dark(#f9e1dd,#42211c);--bar:light-dark(#8fb8c6,#3f7284);--mono:ui-monospace,"SF Mono","Cascadia Mono","DejaVu Sans Mono",Menlo,Consolas,monospace}
*{box-sizing:border-box}
html{background:var(--paper);color:var(--ink);font:16px / 1.55 system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;-webkit-text-size-adjust:100%}
body{margin:0 auto;max-width:70rem;padding:0 1.25rem 2rem}
body:has(.panes){max-width:95rem}
main{overflow-wrap:break-word}
p,h2,td:last-child{overflow-wrap:anywhere}
main:focus{outline:none}
a{color:var(--accent);text-underline-offset:0.18em;text-decoration-thickness:1px}
:focus-visible{border-radius:3px;outline:2px solid var(--accent);outline-offset:2px}
h1{font-size:1.75rem;letter-spacing:-0.015em;line-height:1.2;margin:1.5rem 0 0.5rem;overflow-wrap:anywhere}
h2{font-size:1.125rem;line-height:1.35;margin:2.25rem 0 0.5rem}
h3{font-size:1rem;margin:1.25rem 0 0.25rem}
p{margin:0.4rem 0;max-width:44rem}
code,pre{font-family:var(--mono);font-size:0.875em}
pre code{font-size:inherit}
.skip{left:-99rem;position:absolute}
.skip:focus{left:1rem;top:0.5rem}
.top{align-items:baseline;border-bottom:1px solid var(--line);display:flex;flex-wrap:wrap;gap:0.25rem 1.75rem;justify-content:space-between;padding:1rem 0 0.75rem}
.brand{color:var(--ink);font-size:1.0625rem;font-weight:700;letter-spacing:-0.01em;text-decoration:none}
.top nav{display:flex;flex-wrap:wrap;gap:0 1.25rem}
.tab{color:var(--soft);padding:0.25rem 0;text-decoration:none}
.tab:hover{color:var(--accent);text-decoration:underline}
footer{border-top:1px solid var(--line);color:var(--soft);font-size:0.875rem;margin-top:3.5rem;padding-top:0.75rem}
.note,.hint,.sum,.examples,.facts{color:var(--soft)}
.hint,.examples{font-size:0.875rem}
.image{font-family:var(--mono);font-size:1.5rem}
.back{margin:1.25rem 0 -0.75rem}
.facts{align-items:baseline;display:flex;flex-wrap:wrap;font-size:0.9375rem;gap:0 0.75rem;max-width:none}
.failure{border-left:3px solid var(--bad);padding:0.25rem 0 0.25rem 0.9rem;overflow-wrap:anywhere}
.health{color:var(--good);font-size:0.9375rem}
.health.bad{color:var(--bad)}
form{margin:0.75rem 0 0;max-width:44rem}
label{display:block;font-size:0.875rem;font-weight:600;margin-bottom:0.25rem}
.row{display:flex;gap:0.5rem}
input,textarea{background:var(--panel);border:1px solid light-dark(#85898e,#6a727b);border-radius:6px;color:var(--ink);font:1rem / 1.4 var(--mono);min-width:0;padding:0.55rem 0.7rem;width:100%}
::placeholder{color:var(--soft);opacity:1}
textarea{display:block;resize:vertical}
button,.button{background:var(--accent);border:1px solid var(--accent);border-radius:6px;color:var(--on-accent);cursor:pointer;display:inline-block;font:600 1rem / 1.4 system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;padding:0.55rem 1.1rem;text-decoration:none;white-space:nowrap}
button:hover,.button:hover{filter:brightness(1.1)}
textarea + button{margin-top:0.5rem}
.lines{align-items:stretch;background:var(--panel);border:1px solid var(--line);border-radius:6px;display:flex;margin:0.5rem 0;max-width:44rem}
.lines pre{flex:1;line-height:1.6;margin:0;min-width:0;overflow-x:auto;padding:0.6rem 0.8rem}
.lines .copy{align-self:flex-start;background:none;border:0;color:var(--accent);font-size:0.8125rem;min-width:4.5rem;padding:0.7rem 0.8rem}
.lines .copy[hidden]{display:none}
.hidden{clip-path:inset(50%);height:1px;overflow:hidden;position:absolute;width:1px}
.choices{display:grid;gap:0.6rem;grid-template-columns:repeat(auto-fill,minmax(15.5rem,1fr));list-style:none;margin:0.75rem 0 0;padding:0}
.choices a{background:var(--panel);border:1px solid var(--line);border-radius:6px;color:var(--ink);display:block;height:100%;padding:0.6rem 0.85rem;text-decoration:none}
.choices a:hover,.choices a[aria-current]{border-color:var(--accent)}
.choices strong{display:block;font-weight:600}
.choices span{color:var(--soft);font-size:0.875rem}
.steps{padding-left:1.4rem}
.steps li{margin:1rem 0;padding-left:0.25rem}
.steps li::marker{color:var(--soft);font-weight:600}
.platforms{display:flex;flex-wrap:wrap;gap:0.4rem;list-style:none;margin:0.5rem 0;padding:0}
.platforms a{border:1px solid var(--line);border-radius:99px;display:block;font-size:0.875rem;overflow-wrap:anywhere;padding:0.15rem 0.75rem;text-decoration:none}
.platforms a[aria-current]{background:var(--accent);border-color:var(--accent);color:var(--on-accent);font-weight:600}
.digest{display:inline-block;max-width:100%;overflow:hidden;text-overflow:ellipsis;user-select:all;vertical-align:bottom;white-space:nowrap}
:is(.layers,.pane,td) .digest{width:20ch}
.digest .rest{color:var(--soft)}
.layers,.bars{list-style:none;margin:0.5rem 0;padding:0}
.layers li{align-items:center;border-top:1px solid var(--line);display:grid;font-size:0.875rem;gap:0 1rem;grid-template-columns:5rem 6.5rem minmax(6rem,1fr) auto;padding:0.4rem 0}
.size,.value{font-variant-numeric:tabular-nums;text-align:right}
.bar{background:var(--line);border-radius:2px;display:block;fill:var(--bar);height:0.6rem;overflow:hidden;width:100%}
.bar.zstd{fill:light-dark(#c58a3d,#b98038)}
.bar .part{fill:var(--accent)}
.bars li{align-items:center;display:grid;font-size:0.9375rem;gap:0 1rem;grid-template-columns:minmax(9rem,18rem) minmax(4rem,1fr) 11rem;padding:0.2rem 0}
.bars .value{text-align:left}
.tiles{display:flex;flex-wrap:wrap;gap:0.5rem 2.5rem;list-style:none;margin:1rem 0;padding:0}
.tiles strong{display:block;font-size:1.75rem;font-weight:600;line-height:1.2}
table{border-collapse:collapse;font-size:0.9375rem;margin-top:0.75rem;width:100%}
table.plain{max-width:44rem}
th,td{border-top:1px solid var(--line);padding:0.5rem 1.25rem 0.5rem 0;text-align:left;vertical-align:top}
thead th{border-top:0;color:var(--soft);font-size:0.8125rem;font-weight:600}
tbody th{font-weight:600;min-width:9.5rem}
td code{white-space:nowrap}
.form{white-space:nowrap}
.form.converted::before,.form.refused::before,.form.stored::before{border-radius:50%;content:"";display:inline-block;height:0.5rem;margin-right:0.5rem;width:0.5rem}
.form.converted::before{border:0.25rem solid var(--accent)}
.form.refused::before{border:0.25rem solid var(--bad)}
.form.stored::before{border:1.5px solid var(--soft)}
tr.stored > *{color:var(--soft)}
td[data-label="Loses"]{min-width:7.5rem}
td:last-child{color:var(--soft);font-size:0.875rem;padding-right:0}
.panes{display:grid;gap:0 1.25rem;grid-template-columns:1fr 1fr}
.panes.one{grid-template-columns:1fr}
.pane{min-width:0}
.pane pre{background:var(--panel);border:1px solid var(--line);border-radius:6px;font-size:0.78rem;line-height:1.55;margin:0.5rem 0;max-height:46rem;overflow:auto;padding:0.6rem 0}
.pane pre > *{display:block;min-height:1.55em;padding:0 0.8rem 0 3.4rem;text-decoration:none;text-indent:-1.6rem;white-space:pre-wrap;word-break:break-all}
.pane .gap{background:repeating-linear-gradient(-45deg,transparent 0 5px,var(--line) 5px 6px)}
.pane ins{background:var(--added)}
.pane del{background:var(--removed)}
.pane ins::before,.pane del::before{content:"+";display:inline-block;margin-left:-1.1rem;text-indent:0;width:1.1rem}
.pane del::before{content:"−"}
.entry{border-top:1px solid var(--line);margin-top:1.5rem;max-width:50rem}
.entry h2{margin-top:1rem;overflow-wrap:anywhere}
.entry dl{margin:0}
.entry dl > div{display:grid;gap:0 1rem;grid-template-columns:7rem 1fr;padding:0.2rem 0}
.entry dt{color:var(--soft)}
.entry dd{margin:0;overflow-wrap:anywhere}
@media (max-width:46rem){h1{font-size:1.5rem}
.image{font-size:1.25rem}
.pane .gap{display:none}
.digest{width:20ch}
.layers li{gap:0 0.5rem;grid-template-columns:4.5rem 1fr auto}
.layers .bar{grid-column:1 / -1;grid-row:2;margin:0.25rem 0}
.layers .size{text-align:left}
.bars li{grid-template-columns:1fr auto}
.bars .bar{grid-column:1 / -1;grid-row:2}
.panes{grid-template-columns:1fr}
.entry dl > div{grid-template-columns:1fr}
table.stack,table.stack tbody,table.stack tr,table.stack th,table.stack td{display:block}
table.stack thead{clip-path:inset(50%);position:absolute}
table.stack tr{border-top:1px solid var(--line);padding:0.6rem 0}
table.stack th,table.stack td{border:0;padding:0.1rem 0}
.form{white-space:normal}
table.stack td[data-label]:empty{display:none}
table.stack td[data-label]:not(:empty){display:grid;grid-template-columns:4.5rem 1fr}
table.stack td[data-label]::before{color:var(--soft);content:attr(data-label);font-size:0.8125rem}
}@media (prefers-reduced-motion:no-preference){a,button,.choices a{transition:border-color 0.12s}
}@media print{.top nav,.copy,form{display:none}
.digest{display:inline;overflow-wrap:anywhere;white-space:normal}
.pane pre{max-height:none}
.lines pre{overflow-wrap:anywhere;white-space:pre-wrap}
}`;
