// The editor: errors beside their fields, citations checked while one writes, a preview, and what happens when somebody was faster.
import { ApiError, api, say, valuesOf } from '/console/static/console.js';

const form = document.getElementById('editor'), errors = document.getElementById('errors'), conflict = document.getElementById('conflict');
const el = (name, props = {}, ...kids) => { const made = document.createElement(name); Object.assign(made, props); made.append(...kids.filter(Boolean)); return made; };
const later = (ms, fn) => { let timer; return () => { clearTimeout(timer); timer = setTimeout(fn, ms); }; };
const field = (name) => document.getElementById(`f-body.${name}`) || document.getElementById(`f-${name}`);
const nameOf = (at) => at.closest('.field, fieldset')?.querySelector('label, legend')?.firstChild?.textContent || '内容';

// What is wrong, at its field and above all

function clear() {
  errors.hidden = true;
  for (const told of form.querySelectorAll('.told')) {
    const at = document.getElementById(told.dataset.of);
    at?.removeAttribute('aria-invalid');
    const rest = (at?.getAttribute('aria-describedby') || '').split(' ').filter((id) => id && id !== told.id).join(' ');
    if (rest) at.setAttribute('aria-describedby', rest); else at?.removeAttribute('aria-describedby');
    told.remove();
  }
}

function tell(message, fields) {
  clear();
  const list = el('ul');
  const all = [...form.querySelectorAll('input, select, textarea, fieldset')], order = (name) => all.indexOf(field(name));
  for (const [name, said] of Object.entries(fields).sort(([a], [b]) => order(a) - order(b))) {
    const at = field(name);
    if (!at) { list.append(el('li', { textContent: said })); continue; }
    const target = at.hidden ? at.closest('.field').querySelector('input') : at;
    const told = el('p', { className: 'told', id: `e-${name}`, textContent: said });
    told.dataset.of = target.id;
    if (at.matches('fieldset')) at.querySelector('legend').after(told); else target.before(told);
    if (!at.matches('fieldset')) {
      target.setAttribute('aria-invalid', 'true');
      target.setAttribute('aria-describedby', [target.getAttribute('aria-describedby'), told.id].filter(Boolean).join(' '));
    }
    const outer = at.closest('.fact')?.querySelector('legend')?.textContent;
    const label = outer && !at.matches('fieldset') ? `${outer}的${nameOf(at)}` : nameOf(at);
    list.append(el('li', {}, el('a', { href: `#${target.id}`, textContent: `${label}：${said.split('\n')[0]}` })));
  }
  errors.replaceChildren(el('h2', { textContent: message }), list);
  errors.hidden = false;
  errors.focus();
}
errors.addEventListener('click', (event) => {
  const link = event.target.closest('a');
  if (!link) return;
  event.preventDefault();
  const at = document.getElementById(decodeURIComponent(link.hash.slice(1)));
  (at?.matches('fieldset') ? at.querySelector('input, select, textarea') : at)?.focus();
});

function outrun(error) {
  const details = error.body.error;
  conflict.querySelector('[data-said]').textContent = error.message;
  conflict.querySelector('[data-merge]').href = `/console/knowledge/${encodeURIComponent(form.elements.document.value)}/edit?revision=${encodeURIComponent(details.kept)}`;
  const rows = details.changes.flatMap((change) => [
    el('dt', { textContent: change.label }),
    el('dd', {}, ...change.lines.map((line) => el('p', {}, ...line.map((run) => (
      run.op === 'ins' || run.op === 'del' ? el(run.op, { textContent: run.text }) : document.createTextNode(run.text)))))),
  ]);
  conflict.querySelector('[data-changes]').replaceChildren(...rows);
  conflict.hidden = false;
  for (const button of form.querySelectorAll('button[type=submit]')) button.disabled = true; // these words are kept: they go on from there
  document.getElementById('state').textContent = '您写的已另存为一稿';
  left = true;
  conflict.focus();
}

form.addEventListener('refused', (event) => {
  const error = event.detail;
  if (error.code === 'fields') { event.preventDefault(); tell(error.message, error.body.error.fields); return; }
  if (error.code === 'edited_meanwhile') { event.preventDefault(); clear(); outrun(error); return; }
  event.preventDefault();
  tell(error.message, {});
});

// Saving, and going on with what was saved

let asked = null, left = false;
// What is kept aside may be left: console.js would ask first, were it asked.
window.addEventListener('beforeunload', (event) => { if (left) event.stopImmediatePropagation(); }, true);
form.addEventListener('submit', (event) => { asked = event.submitter; }, true);
form.addEventListener('sent', async (event) => {
  event.preventDefault();
  clear();
  const saved = event.detail, home = `/console/knowledge/${encodeURIComponent(saved.document)}`;
  if (asked?.hasAttribute('data-submit')) {
    try { await api('POST', `/api/v1/staff/knowledge/revisions/${encodeURIComponent(saved.id)}/submit`, { note: form.elements.note.value.slice(0, 1000) }); } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      tell(`草稿已保存，但没有提交：${error.message}`, {});
      return;
    }
    sessionStorage.setItem('said', '已保存并提交，等别人复核');
    location.assign(home);
    return;
  }
  form.elements.document.value = saved.document;
  form.elements.base.value = saved.id;
  form.elements.merges.value = '';
  form.elements.note.value = '';
  history.replaceState(null, '', `${home}/edit`);
  document.getElementById('state').textContent = `${new Date().toLocaleTimeString('zh-CN', { hour: '2-digit', minute: '2-digit', timeZone: 'Asia/Shanghai' })} 已保存为新的一稿`;
  say('已保存');
});
document.addEventListener('keydown', (event) => {
  if (event.key.toLowerCase() === 's' && (event.ctrlKey || event.metaKey) && !event.altKey) { event.preventDefault(); if (!left) form.requestSubmit(); }
});

// Articles are checked as they are written

for (const box of form.querySelectorAll('[data-cites]')) {
  const list = box.closest('.field').nextElementSibling;
  let last = null;
  const check = async () => {
    const citations = box.value.split('\n').map((s) => s.trim()).filter(Boolean).slice(0, 100), text = citations.join('\n');
    if (text === last) return;
    last = text;
    if (!citations.length) { list.replaceChildren(); return; }
    try {
      const { checked } = await api('POST', '/api/v1/staff/knowledge/citations', { citations: citations.map((c) => c.slice(0, 200)) });
      if (text !== last) return;
      list.replaceChildren(...checked.map((one) => (one.ok
        ? el('li', { className: 'good' }, el('details', {}, el('summary', { textContent: `✓ ${one.name}` }), el('p', { textContent: one.text })))
        : el('li', { className: 'bad', textContent: `✗ ${one.problem}` }))));
    } catch (error) { if (!(error instanceof ApiError)) throw error; last = null; list.replaceChildren(el('li', { textContent: '现在没法核对条文，保存时会再核对。' })); }
  };
  box.addEventListener('input', later(700, check));
  check();
}

// Steps are picked by name

for (const picker of document.querySelectorAll('[data-picker]')) {
  const input = picker.querySelector('input'), list = picker.querySelector('.picked'), store = picker.querySelector('textarea');
  const options = [...input.list.options];
  const keep = () => { store.value = [...list.children].map((li) => li.dataset.id).join('\n'); store.dispatchEvent(new Event('input', { bubbles: true })); };
  const dress = (li) => {
    const title = li.querySelector('span').textContent;
    const up = el('button', { type: 'button', className: 'link', textContent: '上移' }), off = el('button', { type: 'button', className: 'link', textContent: '去掉' });
    up.setAttribute('aria-label', `上移：${title}`); off.setAttribute('aria-label', `去掉：${title}`);
    up.onclick = () => { if (li.previousElementSibling) { li.previousElementSibling.before(li); keep(); up.focus(); } };
    off.onclick = () => { li.remove(); keep(); input.focus(); };
    li.append(up, off);
    return li;
  };
  for (const li of list.children) dress(li);
  const pick = () => {
    const found = options.find((o) => o.value === input.value.trim());
    if (!found) return;
    input.value = '';
    if ([...list.children].some((li) => li.dataset.id === found.dataset.id)) { say('已经选过了'); return; }
    const li = el('li', {}, el('span', { textContent: found.value }));
    li.dataset.id = found.dataset.id;
    list.append(dress(li));
    keep();
  };
  input.addEventListener('input', pick);
  input.addEventListener('change', () => { pick(); if (input.value.trim()) { say('没有这个名称，请从列表里选。'); } });
  input.addEventListener('keydown', (event) => { if (event.key === 'Enter' && !event.ctrlKey && !event.metaKey) { event.preventDefault(); pick(); } });
}

// The preview, by the citizens' own page

const frame = document.querySelector('.seen iframe'), told = document.getElementById('previewed');
let channel = 'web', shown = null;
const post = () => frame.contentWindow?.postMessage({ channel, ...(shown || { answer: null, wechat: [] }) }, location.origin);
const unwritten = () => [...form.querySelectorAll('[required]')].some((field) => !field.value.trim());
const refresh = async () => {
  if (!shown && unwritten()) { told.textContent = '写完必填的几项，这里就有预览'; return; }
  let words;
  try { words = valuesOf(form); } catch { return; }
  try {
    shown = await api('POST', '/api/v1/staff/knowledge/preview', { kind: words.kind, body: words.body || {}, ...(words.document && { document: words.document }) });
    told.textContent = '';
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    told.textContent = shown ? '有几项还没写对，这里是之前的样子' : '';
  }
  post();
};
if (frame) {
  form.addEventListener('input', later(1200, refresh));
  frame.addEventListener('load', refresh);
  if (frame.contentDocument?.readyState === 'complete') refresh();
  for (const button of document.querySelectorAll('[data-channel]')) {
    button.addEventListener('click', () => {
      channel = button.dataset.channel;
      for (const other of document.querySelectorAll('[data-channel]')) other.setAttribute('aria-pressed', String(other === button));
      post();
    });
  }
}
