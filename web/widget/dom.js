// Small parts that every script here stands on: elements, storage, times, copying, telephone numbers.
// None writes HTML: the pages run under Trusted Types.

let table = null; // of the interface texts in another language, see texts.js

/** An interface text in the language of the reader: itself, unless `speak` has given a table. */
export const t = (text) => (table && typeof text === 'string' && text.length < 200 ? table(text) : text);
/** From now on interface texts are looked up by `lookup(text)`; what it does not know stays as it is. */
export const speak = (lookup) => { table = lookup; };

export function h(tag, props, ...kids) {
  const el = document.createElement(tag);
  for (const [k, v] of Object.entries(props || {})) {
    if (v == null || v === false) continue;
    if (k.startsWith('on')) el.addEventListener(k.slice(2), v); else el.setAttribute(k, v === true ? '' : /^(aria-label|placeholder)$/.test(k) ? t(v) : v);
  }
  el.append(...kids.flat(Infinity).filter(Boolean).map(t));
  return el;
}

/** New content for an element; what is null, false or undefined is left out. */
export const fillWith = (el, ...kids) => el.replaceChildren(...kids.flat(Infinity).filter(Boolean).map(t));

/** undefined reads, null removes; storage may be forbidden. */
export const stored = (kind, key, value) => {
  try {
    const s = window[kind];
    if (value === undefined) return JSON.parse(s.getItem(key));
    return value === null ? s.removeItem(key) : s.setItem(key, JSON.stringify(value));
  } catch { return null; }
};

export const lines = (text) => String(text || '').split(/\r?\n/).map((s) => s.trim()).filter(Boolean);

const inChina = (at, options) => at.toLocaleString('zh-CN', { timeZone: 'Asia/Shanghai', ...options });

/** A time as people here say it: 今天 15:30, or 12月1日 周二 23:59. */
export function moment(iso) {
  const at = new Date(iso), date = (d) => inChina(d, { year: 'numeric', month: 'long', day: 'numeric' });
  const clock = inChina(at, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  if (date(at) === date(new Date())) return `今天 ${clock}`;
  return `${inChina(at, { month: 'long', day: 'numeric' })} ${inChina(at, { weekday: 'short' })} ${clock}`;
}

export async function copy(text, button) {
  let ok = true;
  try { await navigator.clipboard.writeText(text); } catch {
    const area = h('textarea', { class: 'sr', 'aria-hidden': 'true', tabindex: '-1' });
    area.value = text;
    button.after(area);
    area.select();
    ok = document.execCommand('copy');
    area.remove(); button.focus();
  }
  const label = button.firstChild, was = button.dataset.label ||= label.data;
  label.data = t(ok ? '已复制' : '请手动复制');
  button.dispatchEvent(new CustomEvent('copied', { bubbles: true, composed: true, detail: label.data }));
  setTimeout(() => { label.data = was; }, 2000);
}

export const copyButton = (text, what) => h('button', { type: 'button', class: 'copy', onclick: (e) => copy(text, e.currentTarget) },
  '复制', h('span', { class: 'sr' }, what));

/** "12348（未核实…）" → a tel: link and the remark; anything that is not just numbers stays text. */
export function phone(text) {
  const parts = text.split(/(（[^）]*）)/);
  if (!parts.every((p, i) => i % 2 || /^[\d\s\-、，,;；/或转]*$/.test(p))) return [text];
  return parts.map((p, i) => (i % 2 ? h('span', { class: 'remark' }, p) : p.split(/(\d[\d-]+\d)/).map((n, j) => (
    j % 2 && n !== '12337' ? h('a', { class: 'call', href: `tel:${n}` }, h('span', { class: 'sr' }, '拨打'), n) : n))));
}

/** A sentence that names who can be called, with those numbers to press. */
export const dialable = (text) => t(text).split(/\b(110|120|12345|12348)\b/).map((part, i) => (i % 2 ? h('a', { href: `tel:${part}` }, part) : part));

export const source = (...parts) => h('p', { class: 'source' }, parts.filter(Boolean).map((t) => [h('span', null, t), ' ']));

/** A <dialog> that comes over the page: it moves nothing, keeps the focus, and Esc closes it. */
export function openSheet(root, sheet) {
  sheet.addEventListener('close', () => sheet.remove());
  (root.body || root).append(sheet);
  if (sheet.showModal) sheet.showModal(); else sheet.setAttribute('open', '');
  return sheet;
}
export const closeSheet = (sheet) => { if (sheet.close) sheet.close(); else sheet.dispatchEvent(new Event('close')); };
