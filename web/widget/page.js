// Citizen page of the legal consultation assistant. No dependency, no innerHTML.
// ask(), readEvents(), renderAnswer() and answerText() know nothing of this page, so the
// custom element can import them; the page itself starts only where #consult exists.

export const T = {
  received: '已收到您的问题', searching: '正在查找法律条文和办事信息', composing: '正在整理回答',
  stopped: '已停止。您的问题还在这里。', timeout: '等得太久，没有收到回答。请稍后重试。',
  offline: '网络已断开，问题没有发出去。连上网后请重试。', network: '没能连上服务，请检查网络后重试。',
  failed: '服务暂时出了问题，请稍后重试。', busy: '上一个问题还在查找，请稍等。', empty: '请先写下您的问题。',
  note: '以上由公共法律咨询助手自动查找法律条文和已审核资料得出，不是律师意见。人工咨询请拨 12348。',
  kinds: {
    answered_faq: '常见问题解答', answered_law: '相关法律条文', answered_article: '条文原文', answered_service: '办事信息',
    answered_repealed: '已失效的法律', clarify: '请您选一下', handover: '找人工',
    unanswerable: '暂时答不准', unanswerable_off_topic: '不在解答范围', unanswerable_other_region: '外地事务', refused: '不能解答', failed: '没有查成',
  },
  hotlines: [
    { title: '公共法律服务热线', phone: '12348', note: '法律咨询、法律援助' },
    { title: '上海市民服务热线', phone: '12345', note: '其他政务咨询、投诉、求助' },
  ],
};
const MAX = 2000, NEAR = 1800, KEEP = 20;

export function h(tag, props, ...kids) {
  const el = document.createElement(tag);
  for (const [k, v] of Object.entries(props || {})) {
    if (v == null || v === false) continue;
    if (k.startsWith('on')) el.addEventListener(k.slice(2), v); else el.setAttribute(k, v === true ? '' : v);
  }
  el.append(...kids.flat(Infinity).filter(Boolean));
  return el;
}

// ── asking ──────────────────────────────────────────────────────────────────────────
export class AskError extends Error {
  constructor(code, message, status = 0) { super(message); this.code = code; this.status = status; }
}

/** Server-sent events of a fetch Response; chunks may be cut anywhere, lines end in LF, CRLF or CR. */
export async function* readEvents(response, onChunk = () => {}) {
  const reader = response.body.getReader(), decoder = new TextDecoder();
  let buf = '', event = '', data = [];
  try {
    for (let done = false; !done;) {
      const part = await reader.read();
      done = part.done;
      onChunk();
      buf += done ? decoder.decode() + '\n\n' : decoder.decode(part.value, { stream: true });
      for (let m; (m = /\r\n|\n|\r(?=[^])/.exec(buf));) { // a CR at the very end waits: LF may follow
        const line = buf.slice(0, m.index);
        buf = buf.slice(m.index + m[0].length);
        const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line);
        if (field === 'event') event = value;
        else if (field === 'data') data.push(value);
        else if (!line) {
          if (data.join('')) yield { event: event || 'message', data: data.join('\n') };
          event = ''; data = [];
        }
      }
    }
  } finally { reader.cancel().catch(() => {}); }
}

/** One question, one answer. onEvent(name, data) hears the progress. Throws AskError. */
export async function ask(question, o = {}) {
  const { base = '', conversation = null, region = null, asOf = null, signal, onEvent = () => {}, idleMs = 45000 } = o;
  const ctl = new AbortController();
  let timer, late = false;
  const touch = () => { clearTimeout(timer); timer = setTimeout(() => { late = true; ctl.abort(); }, idleMs); };
  const stop = () => ctl.abort();
  const post = (accept) => {
    touch();
    return fetch(`${base}/api/v1/questions`, {
      method: 'POST', cache: 'no-store', signal: ctl.signal,
      headers: { 'Content-Type': 'application/json', Accept: accept },
      body: JSON.stringify({ question, conversation, region, as_of: asOf }),
    });
  };
  signal?.addEventListener('abort', stop);
  try {
    let res = await post('text/event-stream');
    if (res.ok && res.body && /event-stream/.test(res.headers.get('Content-Type') || '')) {
      try {
        for await (const { event, data } of readEvents(res, touch)) {
          if (!/^(status|sentence|answer|error)$/.test(event)) continue;
          const value = JSON.parse(data);
          if (event === 'answer') return value;
          if (event === 'error') throw new AskError(value.code || 'failed', value.message || T.failed, 500);
          onEvent(event, value);
        }
      } catch (e) { if (e instanceof AskError || ctl.signal.aborted) throw e; }
      res = await post('application/json'); // the stream was cut before its answer: once more, without streaming
    }
    const body = await res.json().catch(() => null);
    if (!res.ok || !body?.outcome) throw new AskError(body?.error?.code || 'failed', body?.error?.message || T.failed, res.status);
    return body;
  } catch (e) {
    if (e instanceof AskError) throw e;
    const code = signal?.aborted ? 'stopped' : late ? 'timeout' : navigator.onLine === false ? 'offline' : 'network';
    throw new AskError(code, T[code]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}

// ── showing an answer ───────────────────────────────────────────────────────────────
const NUMBERED = /^(\d{1,2})\s*[.、．)）]\s*(?!\d)(.+)$/;
const lines = (text) => String(text || '').split(/\r?\n/).map((s) => s.trim()).filter(Boolean);
const short = (law) => law.replace(/^中华人民共和国/, '');
const kindOf = (a) => T.kinds[a.outcome] || T.kinds[a.outcome.split('_')[0]];

function prose(text, lead) {
  const out = [];
  let list = null;
  for (const line of lines(text)) {
    const m = NUMBERED.exec(line);
    if (m && !list) out.push(list = h('ol'));
    if (m) { list.append(h('li', { value: m[1] }, m[2])); continue; }
    list = null;
    const first = (lead && !out.length && /^.{4,60}?[。！？]/.exec(line)?.[0]) || '';
    out.push(h('p', null, first && h('strong', null, first), line.slice(first.length)));
  }
  return out;
}

async function copy(text, button) {
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
  label.data = ok ? '已复制' : '请手动复制';
  button.dispatchEvent(new CustomEvent('copied', { bubbles: true, composed: true, detail: label.data }));
  setTimeout(() => { label.data = was; }, 2000);
}
const copyButton = (text, what) => h('button', { type: 'button', class: 'copy', onclick: (e) => copy(text, e.currentTarget) },
  '复制', h('span', { class: 'sr' }, what));

/** "12348（未核实…）" → a tel: link and the remark; anything that is not just numbers stays text. */
function phone(text) {
  const parts = text.split(/(（[^）]*）)/);
  if (!parts.every((p, i) => i % 2 || /^[\d\s\-、，,;；/或转]*$/.test(p))) return [text];
  return parts.map((p, i) => (i % 2 ? h('span', { class: 'remark' }, p) : p.split(/(\d[\d-]+\d)/).map((n, j) => (
    j % 2 && n !== '12337' ? h('a', { class: 'call', href: `tel:${n}` }, h('span', { class: 'sr' }, '拨打'), n) : n))));
}

const source = (...parts) => h('p', { class: 'source' }, parts.filter(Boolean).map((t) => [h('span', null, t), ' ']));

function facts(s) {
  const rows = [['地点', s.where, true], ['电话', s.phone, true], ['时间', s.hours], ['费用', s.fee], ['期限', s.deadline]];
  const dl = h('dl', null, rows.filter((r) => r[1]).map(([name, value, copies]) => h('div', null, h('dt', null, name),
    h('dd', { class: name === '期限' && 'due' }, h('span', null, name === '电话' ? phone(value) : value),
      copies && copyButton(value, `${name} ${value}`)))));
  return dl.childElementCount ? dl : null;
}

/** A next step; folded unless `open`, so that a phone shows all the choices at once. */
function step(s, open) {
  const how = lines(s.how).map((t) => NUMBERED.exec(t)?.[2] || t);
  return h('li', null, h('details', { class: 'card', open }, h('summary', null, h('h4', null, s.title)),
    how.length > 1 ? h('ol', null, how.map((t) => h('li', null, t))) : how.map((t) => h('p', null, t)), facts(s),
    source(s.source && `来源：${s.source}`, s.checked_on && `核对于 ${s.checked_on}`)));
}

function citation(c, open) {
  const [from, to] = c.highlight || [0, 0]; // code points of c.text
  let at = 0;
  const paragraphs = c.text.split('\n').map((line) => {
    const chars = Array.from(line), cut = (n) => Math.min(Math.max(n - at, 0), chars.length), a = cut(from), b = cut(to);
    at += chars.length + 1;
    const part = (x, y) => chars.slice(x, y).join('');
    return line.trim() && h('p', { class: /^（[一二三四五六七八九十]+）/.test(line) && 'item' },
      part(0, a), b > a && h('mark', null, part(a, b)), part(Math.max(a, b)));
  });
  return h('details', { class: 'cite', open }, h('summary', null, h('span', null, h('b', null, `《${short(c.law)}》${c.article}`), ' ',
    h('span', { class: 'path' }, c.in_force != null && h('span', { class: c.in_force ? 'tag ok' : 'tag gone' }, c.in_force ? '现行有效' : '已失效'),
      ' ', c.path))),
  h('blockquote', null, paragraphs),
  source(c.law, c.effective_from ? `${c.effective_from} 起施行` : c.published_on && `${c.published_on} 公布的文本`, c.source && `来源：${c.source}`));
}

function handoverBox(handover) {
  const urgent = handover.kind === 'urgent', reason = handover.reason && h('p', { class: 'reason' }, handover.reason);
  return h('section', { class: urgent ? 'handover urgent' : 'handover' },
    h('h3', null, urgent ? '请先保证人身安全' : '可以这样找到人'), !urgent && reason,
    h('ul', { class: 'targets' }, (handover.targets || []).map((t) => h('li', null,
      h('p', { class: 'target' }, h('b', null, t.title), t.note && h('span', null, t.note)),
      t.phone && h('p', { class: 'dial' }, phone(t.phone), !urgent && copyButton(t.phone, `电话 ${t.phone}`)),
      facts({ ...t, phone: null })))), urgent && reason);
}

const chips = (texts, onAsk, name = 'chips') => h('ul', { class: name }, texts.map((text) => h('li', null,
  h('button', { type: 'button', class: 'chip', onclick: () => onAsk(text) }, text))));

/** The DOM of one answer. onAsk(text) is called when a clarifying chip is chosen. */
export function renderAnswer(a, { onAsk = () => {} } = {}) {
  const kind = kindOf(a), group = a.outcome.split('_')[0], urgent = a.handover?.kind === 'urgent';
  const handover = a.handover || (/^(unanswerable|failed)$/.test(group) && a.outcome !== 'unanswerable_off_topic' && { kind: 'hotline', targets: T.hotlines });
  const open = ['answered_article', 'answered_law', 'answered_repealed'].includes(a.outcome);
  const section = (name, title, ...kids) => h('section', { class: name }, h('h3', null, title), kids);
  return h('div', { class: `answer is-${group}` },
    !urgent && (kind || a.topic) && h('p', { class: 'kind' }, kind && h('span', { class: 'tag' }, kind), a.topic && h('span', null, a.topic)),
    urgent && handoverBox(handover),
    h('div', { class: 'summary' }, prose(a.summary, a.outcome === 'answered_faq')),
    a.clarify?.length && chips(a.clarify, onAsk),
    a.notices?.length && section('notices', '请特别留意', h('ul', null, a.notices.map((n) => h('li', null, n)))),
    handover && !urgent && handoverBox(handover),
    a.steps?.length && section('steps', '下一步可以做', h('ul', null, a.steps.map((s, i) => step(s, i === 0 && a.outcome === 'answered_service')))),
    a.citations?.length && section('cites', '法律依据', a.citations.map((c, i) => citation(c, open && i === 0))),
    h('div', { class: 'foot' },
      h('button', { type: 'button', class: 'plain', onclick: (e) => copy(answerText(a), e.currentTarget) }, '复制回答'),
      h('button', { type: 'button', class: 'plain', onclick: () => window.print() }, '打印'),
      source(a.id && `编号 ${a.id}`, a.versions?.knowledge && `资料版本 ${a.versions.knowledge}`)));
}

/** The same answer as plain text, for the clipboard. */
export function answerText(a) {
  const target = (t) => [t.title, t.phone, t.where, t.hours, t.note].filter(Boolean).join('，');
  return [`问：${a.question}`, a.summary, ...(a.notices || []).map((n) => `请留意：${n}`), ...(a.handover?.targets || []).map(target),
    ...(a.steps || []).map((s) => `【${s.title}】\n${[s.how, s.where && `地点：${s.where}`, s.phone && `电话：${s.phone}`,
      s.hours && `时间：${s.hours}`, s.fee && `费用：${s.fee}`, s.deadline && `期限：${s.deadline}`].filter(Boolean).join('\n')}`),
    ...(a.citations || []).map((c) => `《${c.law}》${c.article}${c.in_force === false ? '（已失效）' : ''}\n${c.text}`), T.note]
    .filter(Boolean).join('\n\n');
}

// ── the page ────────────────────────────────────────────────────────────────────────
const stored = (kind, key, value) => { // undefined reads, null removes; storage may be forbidden
  try {
    const s = window[kind];
    if (value === undefined) return JSON.parse(s.getItem(key));
    return value === null ? s.removeItem(key) : s.setItem(key, JSON.stringify(value));
  } catch { return null; }
};

function startPage(main) {
  const $ = (id) => document.getElementById(id);
  const root = document.documentElement, form = $('form'), box = $('question'), log = $('log'), send = $('send');
  const SESSION = 'consult.session', touch = matchMedia('(pointer: coarse)').matches;
  let session = { conversation: null, answers: [], ...stored('sessionStorage', SESSION) };
  let running = null, composing = false, tipTimer;

  const tip = (text) => {
    clearTimeout(tipTimer);
    $('tip').textContent = text;
    if (text) tipTimer = setTimeout(tip, 4000, '');
  };
  const announce = (text) => { $('live').textContent = ''; setTimeout(() => { $('live').textContent = text; }, 60); };
  const still = matchMedia('(prefers-reduced-motion: reduce)');
  const show = (t) => (t.head.offsetHeight > innerHeight / 3 ? t.body : t.turn) // a long question must not push the answer off
    .scrollIntoView({ block: 'start', behavior: still.matches ? 'auto' : 'smooth' });
  const fit = () => {
    box.style.height = 'auto';
    box.style.height = `${box.scrollHeight + 2}px`;
    const n = [...box.value.trim()].length;
    $('counter').hidden = n < NEAR;
    $('counter').classList.toggle('over', n > MAX);
    $('counter').textContent = n > MAX ? `超出 ${n - MAX} 字，请删减后发送` : `${n} / ${MAX} 字`;
  };
  const opened = (yes) => { $('welcome').hidden = yes; $('clear').hidden = !yes; main.classList.toggle('start', !yes); };

  function newTurn(question) {
    const body = h('div', { class: 'reply' }), text = h('span', null, question);
    const head = h('h2', { tabindex: '-1' }, h('span', { class: 'sr' }, '您问：'), text), turn = h('article', { class: 'turn' }, head, body);
    log.append(turn);
    opened(true);
    return { turn, head, text, body };
  }
  function fill(t, answer) {
    t.text.textContent = answer.question || t.text.textContent;
    if (answer.masked?.length) t.head.after(h('p', { class: 'masked' }, `已为您隐去：${answer.masked.join('、')}`));
    t.body.replaceChildren(renderAnswer(answer, { onAsk: (text) => submit(text, true) }));
  }

  function submit(question, moveFocus, again) {
    question = question.trim();
    if (running) { tip(T.busy); return false; }
    if (!question) { tip(T.empty); box.focus(); return false; }
    if ([...question].length > MAX) { tip($('counter').textContent); return false; }
    const t = again || newTurn(question), stage = h('span', null, T.received), stop = new AbortController();
    t.body.replaceChildren(h('div', { class: 'wait' }, h('i', { 'aria-hidden': 'true' }), stage,
      h('button', { type: 'button', class: 'plain', onclick: () => stop.abort() }, '停止')));
    show(t);
    if (moveFocus) t.head.focus({ preventScroll: true });
    running = stop;
    send.setAttribute('aria-disabled', 'true');
    ask(question, {
      conversation: session.conversation, region: main.dataset.region || null, signal: stop.signal,
      onEvent: (name, data) => { if (name === 'status') stage.textContent = T[data.stage] || stage.textContent; },
    }).then((answer) => {
      if (running !== stop) return;
      session = { conversation: answer.conversation || session.conversation, answers: [...session.answers, answer].slice(-KEEP) };
      stored('sessionStorage', SESSION, session);
      const inside = t.body.contains(document.activeElement); // on 停止, which goes away
      fill(t, answer);
      if (inside) t.head.focus({ preventScroll: true });
      announce([answer.handover?.kind === 'urgent' && `紧急：${answer.handover.reason || ''}`, '回答好了。', answer.summary].filter(Boolean).join(' '));
      show(t);
    }).catch((error) => {
      if (running !== stop) return;
      const edit = () => {
        box.value = box.value.trim() ? `${question}\n${box.value}` : question;
        t.turn.remove(); opened(log.childElementCount > 0); fit(); box.focus();
      };
      if (error.code === 'conversation_unknown' && session.conversation) { // cleared on the server: start anew
        session.conversation = null;
        running = null;
        submit(question, moveFocus, t);
        return;
      }
      const retry = !(error.status >= 400 && error.status < 500) || [408, 429].includes(error.status);
      const message = error instanceof AskError ? error.message : T.failed;
      t.body.replaceChildren(h('div', { class: 'fail', role: 'alert' }, h('p', null, message), h('div', { class: 'row' },
        retry && h('button', { type: 'button', class: 'primary', onclick: () => submit(question, true, t) }, '重试'),
        h('button', { type: 'button', class: 'plain', onclick: edit }, '修改问题'))));
      show(t);
    }).finally(() => { if (running === stop) { running = null; send.removeAttribute('aria-disabled'); tip(''); } });
    return true;
  }

  function clear() {
    running?.abort();
    running = null; // its late result is then ignored
    send.removeAttribute('aria-disabled');
    session = { conversation: null, answers: [] };
    stored('sessionStorage', SESSION, null);
    log.replaceChildren(); opened(false); scrollTo(0, 0);
    $('hello').focus({ preventScroll: true });
    tip('对话已清除。');
  }

  form.addEventListener('submit', (e) => {
    e.preventDefault();
    if (!navigator.onLine) { $('offline').hidden = false; return announce(T.offline); } // the text stays in the box
    if (submit(box.value)) { box.value = ''; fit(); if (touch) box.blur(); }
  });
  box.addEventListener('compositionstart', () => { composing = true; });
  box.addEventListener('compositionend', () => { composing = false; });
  box.addEventListener('keydown', (e) => {
    if (e.key !== 'Enter' || e.shiftKey || composing || e.isComposing || e.keyCode === 229) return;
    e.preventDefault();
    form.requestSubmit ? form.requestSubmit() : send.click();
  });
  box.addEventListener('input', fit);
  document.addEventListener('copied', (e) => announce(e.detail));

  $('clear').addEventListener('click', () => {
    const d = $('clear-dialog');
    if (d.showModal) { d.returnValue = 'no'; d.showModal(); } else if (confirm($('clear-title').textContent)) clear();
  });
  $('clear-dialog').addEventListener('close', (e) => { if (e.target.returnValue === 'yes') clear(); });

  const elder = (on) => { root.classList.toggle('elder', on); $('elder').setAttribute('aria-pressed', String(on)); fit(); };
  $('elder').addEventListener('click', () => {
    const on = !root.classList.contains('elder');
    elder(on);
    stored('localStorage', 'consult.elder', on);
    tip(on ? '已切换为长辈版：大字、高对比' : '已切换为普通版');
  });

  const net = () => { $('offline').hidden = navigator.onLine; };
  for (const name of ['online', 'offline']) addEventListener(name, net);
  let folded = [];
  const fold = (open) => folded.forEach((d) => { d.open = open; });
  addEventListener('beforeprint', () => { folded = [...log.querySelectorAll('details:not([open])')]; fold(true); });
  addEventListener('afterprint', () => fold(false));
  const dock = main.querySelector('.dock');
  if (window.ResizeObserver) new ResizeObserver(() => root.style.setProperty('--dock', `${dock.offsetHeight}px`)).observe(dock);

  const hotlines = $('lines').cloneNode(true);
  hotlines.removeAttribute('id');
  $('welcome-lines').append(h('h3', null, '常用热线'), hotlines); // phone: in the greeting; wide: in the side panel
  elder(stored('localStorage', 'consult.elder') === true);
  net();
  opened(false);
  // a reload, or coming back from a call, loses nothing
  try { for (const a of session.answers) fill(newTurn(a.question), a); } catch { clear(); }
  log.lastElementChild?.scrollIntoView();
  fetch('/api/v1/suggestions', { headers: { Accept: 'application/json' } }).then((r) => r.json()).then(({ questions }) => {
    $('examples').querySelector('ul').replaceWith(chips(questions.slice(0, 6), (q) => submit(q, true), 'examples'));
    $('examples').hidden = !questions.length;
  }).catch(() => {}); // examples are a help, not a need
}

if (document.getElementById('consult')) startPage(document.getElementById('consult'));
