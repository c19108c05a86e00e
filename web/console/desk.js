// The desk: the queue and the ticket in work, kept up to date; nothing that is typed gets lost.
import { ApiError, api, say } from '/console/static/console.js';
import { listen, showState } from '/console/static/live.js';

const $ = (id) => document.getElementById(id);
const desk = document.querySelector('.desk'), ticket = $('ticket'), title = document.title;
const me = desk.dataset.me, view = desk.dataset.view;
const clock = (iso, withDay) => new Date(iso).toLocaleString('zh-CN', { timeZone: 'Asia/Shanghai', ...(withDay && { month: '2-digit', day: '2-digit' }), hour: '2-digit', minute: '2-digit', hour12: false }).replaceAll('/', '-');
const make = (tag, text, cls) => { const el = document.createElement(tag); if (text !== undefined) el.textContent = text; if (cls) el.className = cls; return el; };

// ── the list ────────────────────────────────────────────────────────────────────────
const STATUSES = { waiting: ['排队中', 'warn'], claimed: ['办理中', 'good'], closed: ['已结束', 'off'] };
const OUTCOMES = { solved: '已解决', referred: '已转介', unreachable: '联系不上市民', duplicate: '重复', other: '其他', withdrawn: '市民撤回' };
const ASKS = { waiting: 'status=waiting&order=due', mine: 'status=claimed&mine=true&order=due', all: 'status=claimed&order=due', closed: 'status=closed' };

function waited(iso) {
  const minutes = Math.max(0, Math.floor((Date.now() - new Date(iso)) / 60000));
  if (minutes < 1) return '刚刚提交';
  return minutes < 60 ? `等了${minutes}分钟` : minutes < 1440 ? `等了${Math.floor(minutes / 60)}小时${minutes % 60}分钟` : `等了${Math.floor(minutes / 1440)}天`;
}
function lineOf(one) {
  const item = $('line-template').content.firstElementChild.cloneNode(true), link = item.querySelector('a'), tags = item.querySelector('.tags');
  const tag = (text, tone) => tags.append(make('span', text, `badge ${tone || ''}`.trim()));
  item.classList.toggle('late', one.overdue);
  item.classList.toggle('urgent', one.kind === 'urgent');
  const others = one.claimed_by && one.claimed_by.id !== me && desk.dataset.reassign === 'true';
  link.href = `/console/desk/${encodeURIComponent(one.id)}?view=${view}${others ? '&purpose=supervise' : ''}`;
  if (ticket?.dataset.id === one.id) link.setAttribute('aria-current', 'true');
  if (one.kind === 'urgent') tag('紧急', 'bad');
  if (one.overdue) tag('超时', 'bad');
  tag(...STATUSES[one.status]);
  tag(one.topic || '未分类');
  if (one.kind === 'unsure') tag('助手没把握');
  item.querySelector('.why').textContent = one.reason;
  const when = item.querySelector('.when');
  if (one.status === 'closed') when.textContent = `${clock(one.closed_at, true)} 结束，${OUTCOMES[one.outcome] || ''}`;
  else if (one.status === 'claimed') when.textContent = `${one.claimed_by?.name || ''} ${clock(one.claimed_at, true)} 接手`;
  else {
    const time = make('time', waited(one.created_at));
    time.dateTime = one.created_at; time.dataset.since = '';
    when.append(time, `，${one.kind === 'urgent' ? '应立即接手' : `${clock(one.due_at, true)} 前接手`}`);
  }
  return item;
}
function drawLines(page) {
  const list = $('lines'), at = document.activeElement?.closest?.('#lines a')?.pathname;
  list.replaceChildren(...page.tickets.map(lineOf));
  if (at) [...list.querySelectorAll('a')].find((a) => a.pathname === at)?.focus();
  $('no-lines').hidden = page.tickets.length > 0;
  counts(page.counts);
}
function counts(n) {
  for (const el of document.querySelectorAll('[data-count]')) el.textContent = n[el.dataset.count];
  $('overdue').hidden = !n.overdue;
  document.title = n.waiting ? `(${n.waiting}) ${title}` : title;
}
const firstPage = !new URLSearchParams(location.search).get('before');
const readLines = async () => { if (firstPage) drawLines(await api('GET', `/api/v1/staff/handovers?${ASKS[view]}&limit=50`)); };
let drawing;
function linesSoon() { clearTimeout(drawing); drawing = setTimeout(() => readLines().catch(() => {}), 250); }
function tick() { for (const el of document.querySelectorAll('[data-since]')) el.textContent = waited(el.dateTime); }
tick();
setInterval(tick, 30000);
counts(Object.fromEntries(['waiting', 'claimed', 'overdue'].map((k) => [k, Number(document.querySelector(`[data-count=${k}]`).textContent)])));

// ── the ticket ──────────────────────────────────────────────────────────────────────
const log = $('log'), box = $('reply-text');
let seq = Number(ticket?.dataset.seq || 0), reading = null;

function bubble(one) {
  const item = make('li', undefined, `said ${one.from}${one.private ? ' private' : ''}`), who = make('p', undefined, 'who');
  const name = { citizen: '市民', system: '系统' }[one.from] || (one.private ? `内部备注 · ${one.staff}` : one.staff || '工作人员');
  const time = make('time', clock(one.sent_at, true));
  time.dateTime = one.sent_at; item.dataset.seq = one.seq;
  who.append(make('b', name), one.private && one.from === 'system' ? ' （仅内部可见） ' : ' ', time);
  item.append(who, make('p', one.text, 'text'));
  return item;
}
function append(messages) {
  const fresh = messages.filter((m) => m.seq > seq), near = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  for (const one of fresh) { if (!log.querySelector(`[data-seq="${one.seq}"]`)) log.firstElementChild.append(bubble(one)); seq = Math.max(seq, one.seq); }
  if (fresh.length && near) log.scrollTop = log.scrollHeight;
  return fresh;
}
/** What was said since; a change of the ticket itself is only told, so that nothing moves under the hand of who types. */
async function readTicket() {
  if (!ticket) return;
  if (reading) { await reading; }
  reading = (async () => {
    let now;
    do {
      now = await api('GET', `/api/v1/staff/handovers/${encodeURIComponent(ticket.dataset.id)}?after=${seq}&purpose=${ticket.dataset.purpose}`);
      append(now.messages);
    } while (now.messages.length === 200);
    const owner = now.claimed_by?.id || '';
    if (now.status !== ticket.dataset.status || owner !== ticket.dataset.owner) $('moved').hidden = false;
  })();
  try { await reading; } finally { reading = null; }
}
if (log) log.scrollTop = log.scrollHeight;
$('refresh')?.addEventListener('click', () => location.reload());
if (ticket?.dataset.full === 'true') readTicket().catch(() => {}); // a long talk comes in parts

// Drafts: in this tab, by ticket, until they are sent.
const draftOf = (el) => `desk.${el.dataset.draft}.${ticket.dataset.id}`;
for (const el of document.querySelectorAll('[data-draft]')) {
  el.value = sessionStorage.getItem(draftOf(el)) || el.value;
  el.addEventListener('input', () => (el.value ? sessionStorage.setItem(draftOf(el), el.value) : sessionStorage.removeItem(draftOf(el))));
  if (el.value) el.closest('details')?.setAttribute('open', '');
}
const forget = (el) => { el.value = ''; sessionStorage.removeItem(draftOf(el)); };
function insert(text) {
  const before = box.value.slice(0, box.selectionStart), gap = before && !/\s$/.test(before) ? '\n' : '';
  box.setRangeText(gap + text, box.selectionStart, box.selectionEnd, 'end');
  box.dispatchEvent(new Event('input'));
  box.focus();
}

async function post(form, verb, area) {
  const wrong = form.querySelector('[role=alert]'), button = form.querySelector('button'), text = area.value.trim();
  wrong.hidden = true;
  if (!text || button.getAttribute('aria-busy') === 'true') { area.focus(); return; }
  button.setAttribute('aria-busy', 'true');
  try {
    await api('POST', `/api/v1/staff/handovers/${encodeURIComponent(ticket.dataset.id)}/${verb}`, { text });
    if (area.value.trim() === text) forget(area);
    await readTicket().catch(() => {});
    log.scrollTop = log.scrollHeight;
    $('told').textContent = verb === 'note' ? '备注已保存。' : '已发出。';
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    wrong.textContent = error.status === 401 ? '登录已过期。请在另一个标签页重新登录，再回来发送；写的话还在。' : error.message;
    wrong.hidden = false;
    if (error.status === 409) readTicket().catch(() => {});
  } finally { button.removeAttribute('aria-busy'); area.focus(); }
}
$('reply')?.addEventListener('submit', (event) => { event.preventDefault(); post(event.target, 'reply', box); });
$('note')?.addEventListener('submit', (event) => { event.preventDefault(); post(event.target, 'note', $('note-text')); });
// Enter sends, but not the Enter that ends a pinyin word (229: Safari tells of it only so).
box?.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.ctrlKey || event.metaKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  $('reply').requestSubmit();
});
$('phrase')?.addEventListener('change', (event) => { if (event.target.value) { insert(event.target.value); event.target.value = ''; } });

$('find')?.addEventListener('submit', async (event) => {
  event.preventDefault();
  const q = $('find-text').value.trim(), place = $('found');
  if (!q) return;
  try {
    const { snippets } = await api('GET', `/api/v1/staff/desk/snippets?q=${encodeURIComponent(q)}`);
    place.replaceChildren(...snippets.map(snippet));
    if (!snippets.length) place.append(make('p', '没有找到已发布的回答或服务，换个说法试试。', 'muted'));
  } catch (error) { if (!(error instanceof ApiError)) throw error; place.replaceChildren(make('p', error.message, 'wrong')); }
});
function snippet(one) {
  const item = make('article', undefined, 'snippet'), row = make('div', undefined, 'row'), more = make('details'), use = (name, text) => { const b = make('button', name); b.type = 'button'; b.onclick = () => insert(text); row.append(b); };
  more.append(make('summary', '看全文'), make('p', one.text, 'pre small'), make('p', `来源：${one.source}（核对日期 ${one.checked_on}）`, 'small muted'));
  item.append(make('h4', one.title), make('p', one.line || one.text.slice(0, 80), 'small'), more, row);
  use('插入全文', one.text);
  if (one.line) use('插入电话地址', one.line);
  return item;
}

// 首问负责: asked for only when the citizen is sent on.
function referral() {
  const on = $('outcome').value === 'referred';
  $('referral').hidden = !on;
  for (const el of $('referral').querySelectorAll('input')) el.disabled = !on;
}
if ($('outcome')) { $('outcome').addEventListener('change', referral); referral(); }
$('close')?.addEventListener('sent', () => { for (const el of document.querySelectorAll('[data-draft]')) forget(el); });

// ── on duty ─────────────────────────────────────────────────────────────────────────
const duty = $('duty');
const here = (people) => {
  const text = (one) => make('span', `${one.name} · ${clock(one.since)} 起`, 'badge good');
  $('on-duty').replaceChildren(...(people.length ? people.flatMap((one) => [text(one), ' ']) : [make('span', '现在没有人值班', 'badge warn')]));
};
function mine(on) {
  duty.dataset.mine = String(on);
  if ($('duty-begin')) { $('duty-begin').hidden = on; $('duty-end').hidden = !on; }
}
async function setDuty(method, body) {
  try { const now = await api(method, '/api/v1/staff/desk/duty', body); here(now.on_duty); mine(now.mine); return true; } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.code === 'duty_ended') mine(false);
    if (error.status) say(error.message); // without a network the next heartbeat tells
    return false;
  }
}
$('duty-begin')?.addEventListener('click', async () => { if (await setDuty('PUT', { action: 'begin' })) { say('已开始值班。关掉页面15分钟后自动结束。'); $('duty-end').focus(); } });
$('duty-end')?.addEventListener('click', async () => { if (await setDuty('DELETE')) { say('已结束值班。'); $('duty-begin').focus(); } });
setInterval(() => { if (duty.dataset.mine === 'true') setDuty('PUT', { action: 'still' }); }, 120000);
if (duty.dataset.mine === 'true') setDuty('PUT', { action: 'still' });

// ── what happens ────────────────────────────────────────────────────────────────────
const sound = $('sound'), notify = $('notify');
let context, known = null;
const setSound = (on) => { sound.setAttribute('aria-pressed', String(on)); sound.textContent = `提示音：${on ? '开' : '关'}`; sessionStorage.setItem('desk.sound', on ? '1' : ''); };
setSound(sessionStorage.getItem('desk.sound') === '1');
sound.onclick = () => { setSound(sound.getAttribute('aria-pressed') !== 'true'); if (sound.getAttribute('aria-pressed') === 'true') beep(); };
function beep() {
  if (sound.getAttribute('aria-pressed') !== 'true') return;
  context ??= new AudioContext();
  const tone = context.createOscillator(), volume = context.createGain(), at = context.currentTime;
  tone.frequency.value = 660; volume.gain.setValueAtTime(.15, at); volume.gain.exponentialRampToValueAtTime(.001, at + .35);
  tone.connect(volume).connect(context.destination); tone.start(at); tone.stop(at + .35);
}
if ('Notification' in window && Notification.permission === 'default') notify.hidden = false;
notify.onclick = async () => { notify.hidden = await Notification.requestPermission() !== 'default'; };
function alertPerson(text) {
  beep();
  $('told').textContent = text;
  if (document.hidden && 'Notification' in window && Notification.permission === 'granted') new Notification('普陀法律咨询后台', { body: text, tag: 'desk' });
}

function queue(data) {
  counts(data.counts);
  here(data.on_duty);
  if (duty.dataset.mine === 'true' && !data.on_duty.some((one) => one.id === me)) mine(false);
  if (data.tickets.length || data.reset) linesSoon();
  const fresh = known === null ? [] : data.tickets.filter((t) => t.status === 'waiting' && !known.has(t.id));
  known ??= new Set();
  for (const t of data.tickets) known.add(t.id);
  if (fresh.length) alertPerson(fresh.some((t) => t.kind === 'urgent') ? '有紧急的转人工请求。' : '有新的转人工请求。');
  if (ticket && (data.reset || data.tickets.some((t) => t.id === ticket.dataset.id))) readTicket().catch(() => {});
}
function message(data) {
  if (data.handover === ticket?.dataset.id) readTicket().catch(() => {});
  if (data.from === 'citizen') alertPerson(data.handover === ticket?.dataset.id ? '市民回复了。' : '您的另一张工单里有市民的新消息。');
}
function urgent(data) {
  const note = $('urgent-note');
  if (!note) return;
  note.hidden = !data.total;
  note.querySelector('[data-total]').textContent = data.total;
  if (data.new.length) alertPerson('有新的紧急情况。');
}
async function poll() {
  const [now] = await Promise.all([api('GET', '/api/v1/staff/desk/duty'), readLines(), readTicket()]);
  here(now.on_duty);
}
listen({ on: { queue, message, urgent }, poll, state: (state) => showState($('live'), state) });

// ── keys ────────────────────────────────────────────────────────────────────────────
const typing = (el) => el.closest('input, textarea, select, [contenteditable]');
$('keys').onclick = () => $('help').showModal();
document.addEventListener('keydown', (event) => {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
  if (event.key === 'Escape') {
    if (typing(event.target)) { event.target.blur(); log?.focus(); } else if (ticket) location.assign(`/console/desk?view=${view}`);
    return;
  }
  if (typing(event.target)) return;
  if (event.key === '?') { event.preventDefault(); $('help').showModal(); }
  if (event.key === 'c' && $('claim')) { event.preventDefault(); $('claim').click(); }
  if (event.key === 'r' && box) { event.preventDefault(); box.focus(); }
  if (event.key === '/' && $('finder')) { event.preventDefault(); $('finder').open = true; $('find-text').focus(); }
});
