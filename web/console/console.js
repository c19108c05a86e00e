// What every page of the console does: sends forms to the API, says what came of it, and listens to the keyboard.
//
// <form data-api="POST /api/v1/…" data-then="reload | /path | /path/{id}">   fields become JSON:
//   name="a.b" nests; data-as="int | number | bool | lines | json | list" converts; empty fields stay away unless data-keep
//   (then they are sent as null, or as [] with lines and list); `enctype="multipart/form-data"` is sent as it is.
// <button data-api="DELETE /api/v1/…" data-body='{"k": "v"}' data-confirm="真的？" data-then="…">   the same without fields.
// data-said="已保存" is shown after a reload. An error goes to the form's [role=alert], or to the toast.
// A `sent` event (detail: the answer) goes off on the element; preventDefault() keeps the page where it is.

export class ApiError extends Error {
  constructor(status, code, message, body) { super(message); this.status = status; this.code = code; this.body = body; }
}

/** JSON in, JSON out (null for an empty answer). Throws ApiError with a message in Chinese. */
export async function api(method, path, body) {
  const csrf = document.querySelector('meta[name=csrf]')?.content, form = body instanceof FormData;
  let res;
  try {
    res = await fetch(path, {
      method, cache: 'no-store', credentials: 'same-origin', body: body === undefined ? undefined : form ? body : JSON.stringify(body),
      headers: { Accept: 'application/json', ...(csrf && { 'X-CSRF-Token': csrf }), ...(body !== undefined && !form && { 'Content-Type': 'application/json' }) },
    });
  } catch { throw new ApiError(0, 'network', '没能连上服务，请检查网络后重试；填写的内容还在。'); }
  const json = await res.json().catch(() => null);
  if (!res.ok) throw new ApiError(res.status, json?.error?.code || 'failed', json?.error?.message || '服务出了问题，请稍后再试。', json);
  return json;
}

const toast = document.getElementById('said');
let fading;
export function say(text) {
  clearTimeout(fading);
  toast.textContent = text;
  fading = setTimeout(() => { toast.textContent = ''; }, 6000);
}
const later = sessionStorage.getItem('said');
if (later) { sessionStorage.removeItem('said'); say(later); }

const AS = {
  int: (v) => (v.trim() === '' ? null : /^-?\d+$/.test(v.trim()) ? Number(v) : v), number: (v) => (v.trim() === '' ? null : Number(v)),
  bool: (v) => v === 'true', json: (v) => JSON.parse(v), lines: (v) => v.split(/\r?\n/).map((s) => s.trim()).filter(Boolean), list: (v) => [v],
};

/** The fields of a form as JSON; see the head of this file. */
export function valuesOf(form) {
  const out = {};
  const put = (name, value) => {
    const keys = name.split('.'), last = keys.pop();
    const at = keys.reduce((o, k) => (o[k] ??= {}), out);
    if (Array.isArray(value) && Array.isArray(at[last])) at[last].push(...value); else at[last] = value;
  };
  for (const el of form.elements) {
    if (!el.name || el.disabled || el.type === 'submit' || el.type === 'button') continue;
    const as = el.dataset.as || (el.type === 'number' ? 'int' : '');
    const many = as === 'lines' || as === 'list';
    if (el.type === 'checkbox' && as !== 'list') { if (el.checked || as === 'bool') put(el.name, as === 'bool' ? el.checked : el.value); continue; }
    if ((el.type === 'checkbox' || el.type === 'radio') && !el.checked) { if (many && 'keep' in el.dataset) put(el.name, []); continue; }
    const values = el.multiple ? [...el.selectedOptions].map((o) => o.value) : null;
    const raw = el.value;
    if (!values && raw.trim() === '') { if ('keep' in el.dataset) put(el.name, many ? [] : null); continue; }
    let value;
    try { value = values || (AS[as] ? AS[as](raw) : raw); } catch { throw new ApiError(0, 'invalid', `“${el.labels?.[0]?.innerText || el.name}”的格式不对。`); }
    put(el.name, value);
  }
  return out;
}

function wrong(el, error) {
  const place = el.matches('form') ? el.querySelector('[role=alert]') : null;
  if (!place) { say(error.message); return; }
  place.textContent = error.message;
  place.hidden = false;
  place.scrollIntoView({ block: 'nearest' });
}

export function go(el, then, answer) {
  if (el.dataset.said) sessionStorage.setItem('said', el.dataset.said);
  if (!then || then === 'reload') { location.reload(); return; }
  location.assign(then.replace(/\{(\w+)\}/g, (_, k) => encodeURIComponent(answer?.[k] ?? '')));
}

async function send(el, body, button) {
  const [method, path] = el.dataset.api.split(' ');
  if (el.dataset.confirm && !await sure(el.dataset.confirm)) return;
  if (button?.getAttribute('aria-busy') === 'true') return;
  button?.setAttribute('aria-busy', 'true');
  try {
    const answer = await api(method, path, typeof body === 'function' ? body() : body);
    clean.delete(el);
    if (!el.dispatchEvent(new CustomEvent('sent', { bubbles: true, cancelable: true, detail: answer }))) return;
    go(el, button?.dataset.then || el.dataset.then, answer);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.code === 'not_signed_in') { wrong(el, new ApiError(401, '', '登录已过期。请在另一个标签页重新登录，再回来提交；填写的内容还在。')); return; }
    if (!el.dispatchEvent(new CustomEvent('refused', { bubbles: true, cancelable: true, detail: error }))) return;
    wrong(el, error);
  } finally { button?.removeAttribute('aria-busy'); }
}

/** Asks before something that cannot be undone; Esc is no. */
export function sure(text) {
  return new Promise((resolve) => {
    const box = document.createElement('dialog'), words = document.createElement('p'), row = document.createElement('div');
    const yes = document.createElement('button'), no = document.createElement('button');
    words.textContent = text; yes.textContent = '确定'; no.textContent = '取消'; yes.className = 'primary'; row.className = 'row';
    box.setAttribute('aria-label', '请确认');
    yes.onclick = () => box.close('yes'); no.onclick = () => box.close('');
    box.onclose = () => { box.remove(); resolve(box.returnValue === 'yes'); };
    row.append(yes, no); box.append(words, row); document.body.append(box);
    box.showModal();
  });
}

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (!form.dataset.api) return;
  event.preventDefault();
  const place = form.querySelector('[role=alert]');
  if (place) place.hidden = true;
  const button = event.submitter;
  const extra = button?.name ? { [button.name]: button.value } : {};
  send(form, () => (form.enctype === 'multipart/form-data' ? new FormData(form, button) : { ...valuesOf(form), ...extra }), button);
});
document.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-api]');
  if (button) send(button, button.dataset.body ? JSON.parse(button.dataset.body) : undefined, button);
  const print = event.target.closest('[data-print]');
  if (print) window.print();
});

// Selects marked data-auto send their form (of filters) at once.
document.addEventListener('change', (event) => { if (event.target.matches('[data-auto]')) event.target.form.requestSubmit(); });

// A form marked data-guard asks before its words are left behind.
const clean = new Set();
document.addEventListener('input', (event) => { const form = event.target.closest('form[data-guard]'); if (form) clean.add(form); });
window.addEventListener('beforeunload', (event) => { if (clean.size) event.preventDefault(); });

// Keys: / search, j and k along [data-list] links, Ctrl+Enter sends the form one is in.
const typing = (el) => el.closest('input, textarea, select, [contenteditable]');
document.addEventListener('keydown', (event) => {
  if (event.isComposing) return;
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && event.target.form) { event.preventDefault(); event.target.form.requestSubmit(); return; }
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  if (event.key === '/') { const box = document.querySelector('[type=search]'); if (box) { event.preventDefault(); box.focus(); box.select(); } }
  if (event.key === 'j' || event.key === 'k') {
    const links = [...document.querySelectorAll('[data-list] a[data-item]')], at = links.indexOf(document.activeElement);
    links[Math.max(0, Math.min(links.length - 1, at + (event.key === 'j' ? 1 : -1)))]?.focus();
  }
});

const menu = document.querySelector('.menu'), narrow = window.matchMedia('(max-width: 56rem)');
if (menu && narrow.matches) menu.open = false;
