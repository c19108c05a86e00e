// The citizen page: asking and answering, the talk with a person, and what a reload must not lose.
import { ApiError, ask } from './api.js';
import { chips, renderAnswer } from './cards.js';
import { elderSwitch, unfoldOnPaper } from './display.js';
import { h, stored } from './dom.js';
import { consentSheet, openTicket, readTicket, talk } from './handover.js';
import { openMine } from './mine.js';
import { showNotices } from './notices.js';
import { ratingLine } from './rating.js';

const T = {
  received: '已收到您的问题', searching: '正在查找法律条文和办事信息', composing: '正在整理回答',
  offline: '网络已断开，没有发出去。连上网后请重试。', failed: '服务暂时出了问题，请稍后重试。',
  busy: '上一个问题还在查找，请稍等。', empty: '请先写下您的问题。', ask: '写下您的问题', tell: '写给工作人员的话',
  gone: '服务器上已没有之前的对话，工作人员看不到之前的内容。请在补充里写明事情经过，再点一次“转人工”。',
};
const UNFINISHED = /^clarify_|^answered_smalltalk$/; // asking back, or a greeting: nothing to rate yet
const MAX = 2000, NEAR = 1800, KEEP = 20;
const SESSION = 'consult.session', NOTE = 'consult.note';
const WITH_PERSON = 'handover_with_person', PERSON = '转人工';

const $ = (id) => document.getElementById(id);
const main = $('consult'), form = $('form'), box = $('question'), log = $('log'), send = $('send');
const touch = matchMedia('(pointer: coarse)').matches, still = matchMedia('(prefers-reduced-motion: reduce)');
const title = document.title;
// `answers` holds answers and, as {ticket}, finished talks, in order; `ticket` is the one that is open.
let session = { conversation: null, answers: [], ticket: null, ...stored('sessionStorage', SESSION) };
let running = null, person = null, composing = false, tipTimer;

const save = (change) => { session = { ...session, ...change }; stored('sessionStorage', SESSION, session); };
const keep = (item) => save({ answers: [...session.answers, item].slice(-KEEP) });
const claimed = () => person?.ticket.status === 'claimed';
const waiting = () => person?.ticket.status === 'waiting';

const tip = (text) => {
  clearTimeout(tipTimer);
  $('tip').textContent = text;
  if (text) tipTimer = setTimeout(tip, 4000, '');
};
const announce = (text) => { $('live').textContent = ''; setTimeout(() => { $('live').textContent = text; }, 60); };
const motion = () => (still.matches ? 'auto' : 'smooth');
const show = (t) => (t.head.offsetHeight > innerHeight / 3 ? t.body : t.turn) // a long question must not push the answer off
  .scrollIntoView({ block: 'start', behavior: motion() });
const fit = () => {
  box.style.height = 'auto';
  box.style.height = `${box.scrollHeight + 2}px`;
  const n = [...box.value.trim()].length;
  $('counter').hidden = n < NEAR;
  $('counter').classList.toggle('over', n > MAX);
  $('counter').textContent = n > MAX ? `超出 ${n - MAX} 字，请删减后发送` : `${n} / ${MAX} 字`;
};
const opened = (yes) => { $('welcome').hidden = yes; $('clear').hidden = !yes; main.classList.toggle('start', !yes); };

// ── questions and answers ───────────────────────────────────────────────────────────
function newTurn(question) {
  const body = h('div', { class: 'reply' }), text = h('span', null, question);
  const head = h('h2', { tabindex: '-1' }, h('span', { class: 'sr' }, '您问：'), text), turn = h('article', { class: 'turn' }, head, body);
  if (!session.ticket) log.append(...$('person').children); // a finished talk takes its place among what was said
  for (const b of log.querySelectorAll('.flow button')) b.disabled = true; // of a pre-check, only the last question can be answered
  log.append(turn);
  opened(true);
  return { turn, head, text, body };
}
function fill(t, answer) {
  t.text.textContent = answer.question || t.text.textContent;
  if (answer.masked?.length) t.head.after(h('p', { class: 'masked' }, `已为您隐去：${answer.masked.join('、')}`));
  t.body.replaceChildren(renderAnswer(answer, {
    onAsk: (text) => submit(text, true), onPerson: () => askForPerson(answer),
    rating: answer.rating_token && !UNFINISHED.test(answer.outcome) && (() => ratingLine(answer.rating_token, { announce })),
  }));
}
function take(answer) {
  answer.received_at = Date.now();
  save({ conversation: answer.conversation || session.conversation });
  keep(answer);
}

function submit(question, moveFocus, again) {
  question = question.trim();
  if (running) { tip(T.busy); return false; }
  if (!question) { tip(T.empty); box.focus(); return false; }
  if ([...question].length > MAX) { tip($('counter').textContent); return false; }
  if (claimed() && !again) { tell(question); return true; }
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
    if (answer.outcome === WITH_PERSON && person) { t.turn.remove(); person.poll(); return; } // somebody has just taken over
    take(answer);
    const inside = t.body.contains(document.activeElement); // on 停止, which goes away
    fill(t, answer);
    if (inside) t.head.focus({ preventScroll: true });
    announce([answer.handover?.kind === 'urgent' && `紧急：${answer.handover.reason || ''}`, '回答好了。', answer.summary].filter(Boolean).join(' '));
    show(t);
    if (answer.outcome === WITH_PERSON) restore(); // handed over elsewhere, in another tab
  }).catch((error) => {
    if (running !== stop) return;
    const edit = () => {
      box.value = box.value.trim() ? `${question}\n${box.value}` : question;
      t.turn.remove(); opened(log.childElementCount > 0); fit(); box.focus();
    };
    if (error.code === 'conversation_unknown' && session.conversation) { // cleared on the server: start anew
      save({ conversation: null, ticket: null });
      leave();
      running = null;
      submit(question, moveFocus, t);
      return;
    }
    const retry = !(error.status >= 400 && error.status < 500) || [408, 429].includes(error.status);
    const message = error instanceof ApiError ? error.message : T.failed;
    t.body.replaceChildren(h('div', { class: 'fail', role: 'alert' }, h('p', null, message), h('div', { class: 'row' },
      retry && h('button', { type: 'button', class: 'primary', onclick: () => submit(question, true, t) }, '重试'),
      h('button', { type: 'button', class: 'plain', onclick: edit }, '修改问题'))));
    show(t);
  }).finally(() => { if (running === stop) { running = null; send.removeAttribute('aria-disabled'); tip(''); } });
  return true;
}

// ── the talk with a person ──────────────────────────────────────────────────────────
/** The open talk into view, or the sheet that asks for consent; `about` is the answer it is asked from. */
function askForPerson(about, note = '') {
  if (session.ticket && person) { toTalk(); return; }
  const last = session.answers.filter((a) => a.id).at(-1);
  consentSheet({ topic: (about || last)?.topic, note, send: async (body) => {
    if (!session.conversation) { // a wish for a person is a question like any other: it begins the conversation
      const answer = await ask(PERSON, { region: main.dataset.region || null });
      take(answer);
      fill(newTurn(PERSON), answer);
    }
    const open = (answer) => openTicket(session.conversation, { ...body, ...(answer && { answer }) });
    const ticket = await open(about?.conversation === session.conversation && about.id).catch((e) => {
      if (e.code === 'answer_unknown') return open();
      if (e.code !== 'conversation_unknown') throw e;
      save({ conversation: null });
      throw new ApiError(e.code, T.gone, e.status);
    });
    save({ ticket: { id: ticket.id, contact: Boolean(body.contact) } });
    adopt(ticket);
    setTimeout(toTalk, 100); // after the sheet has given the focus back
  } });
}
const newest = () => person.el.querySelector('.messages > :last-child');
const toTalk = () => { person.el.scrollIntoView({ block: 'start', behavior: motion() }); person.el.focus({ preventScroll: true }); };

const ofTicket = (ticket) => talk(session.conversation, ticket, {
  onChange: changed, onStaff: heard, rating: (token) => ratingLine(token, { kind: 'handover', announce }),
});
function adopt(ticket) {
  person?.stop();
  person = ofTicket(ticket);
  $('person').replaceChildren(person.el);
  opened(true);
  changed(person.ticket);
}
function changed(ticket) {
  if (!ticket) { save({ ticket: null }); leave(); return; }
  if (ticket.status === 'closed' && session.ticket) { keep({ ticket }); save({ ticket: null }); }
  if (ticket.status !== main.dataset.talk) announce(person.el.querySelector('.state').innerText.replace(/\n+/g, '，'));
  mode();
}
function heard(text) {
  announce(`工作人员说：${text}`);
  if (document.hidden) document.title = `（新消息）${title}`;
  else if (scrollY + innerHeight > document.documentElement.scrollHeight - innerHeight) newest().scrollIntoView({ block: 'nearest', behavior: motion() });
}
function leave() {
  person?.stop();
  person = null;
  $('person').replaceChildren();
  mode();
}
/** What the question box is for now. */
function mode() {
  main.dataset.talk = person?.ticket.status || '';
  $('with-person').hidden = !claimed();
  $('disclaimer').hidden = claimed(); // a person is no automatic service
  box.placeholder = $('question-label').textContent = claimed() ? T.tell : T.ask;
  $('ask-person').textContent = claimed() ? '人工对话' : waiting() ? '人工排队中' : PERSON;
}
/** Words for the person who owns the conversation; they come back, masked, with the messages. */
function tell(text) {
  const item = person.sending(text);
  newest().scrollIntoView({ block: 'nearest', behavior: motion() });
  ask(text, { conversation: session.conversation, stream: false }).then(async (answer) => {
    if (answer.outcome !== WITH_PERSON) { take(answer); const t = newTurn(text); fill(t, answer); show(t); }
    await person?.poll();
    item.done();
  }).catch((e) => item.failed(e instanceof ApiError ? e.message : T.failed, () => (claimed() ? tell(text) : submit(text))));
}
function restore() {
  if (!session.conversation) return;
  readTicket(session.conversation).then((ticket) => { if (!session.ticket) save({ ticket: { id: ticket.id } }); adopt(ticket); setTimeout(() => newest()?.scrollIntoView({ block: 'end' }), 100); })
    .catch((e) => { if (e.status === 404) save({ ticket: null }); else setTimeout(restore, 15000); });
}

// ── the page ────────────────────────────────────────────────────────────────────────
async function clear(withdraw) {
  running?.abort();
  running = null; // its late result is then ignored
  send.removeAttribute('aria-disabled');
  const going = withdraw && session.ticket && person?.withdraw();
  person?.stop();
  session = { conversation: null, answers: [], ticket: null };
  stored('sessionStorage', SESSION, null);
  stored('sessionStorage', 'consult.rated', null);
  log.replaceChildren(); leave(); opened(false); scrollTo(0, 0);
  $('hello').focus({ preventScroll: true });
  tip(await Promise.resolve(going).then(() => (going ? '对话已清除，转人工已撤回。' : '对话已清除。'), () => '对话已清除，但转人工没有撤回成功。'));
}

form.addEventListener('submit', (e) => {
  e.preventDefault();
  if (!navigator.onLine) { $('offline').hidden = false; return announce(T.offline); } // the text stays in the box
  if (submit(box.value)) { box.value = ''; fit(); if (touch && !claimed()) box.blur(); }
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
document.addEventListener('visibilitychange', () => { if (!document.hidden) document.title = title; });
$('ask-person').addEventListener('click', () => askForPerson());
$('mine').addEventListener('click', () => openMine(session.conversation, { onErased: (code) => { if (code === session.conversation) clear(); } }));
showNotices($('notices'));

$('clear').addEventListener('click', () => {
  const d = $('clear-dialog');
  $('clear-ticket').hidden = !session.ticket;
  $('withdraw').checked = Boolean(session.ticket) && !session.ticket.contact; // who left a number may still be called
  if (d.showModal) { d.returnValue = 'no'; d.showModal(); } else if (confirm($('clear-title').textContent)) clear();
});
$('clear-dialog').addEventListener('close', (e) => { if (e.target.returnValue === 'yes') clear($('withdraw').checked); });

elderSwitch($('elder'), (on, asked) => { fit(); if (asked) tip(on ? '已切换为长辈版：大字、高对比' : '已切换为普通版'); });
unfoldOnPaper('#log details');
const net = () => { $('offline').hidden = navigator.onLine; };
for (const name of ['online', 'offline']) addEventListener(name, net);
const dock = main.querySelector('.dock');
if (window.ResizeObserver) new ResizeObserver(() => document.documentElement.style.setProperty('--dock', `${dock.offsetHeight}px`)).observe(dock);

const hotlines = $('lines').cloneNode(true);
hotlines.removeAttribute('id');
$('welcome-lines').append(h('h3', null, '常用热线'), hotlines); // phone: in the greeting; wide: in the side panel
net();
opened(false);
mode();
// a reload, or coming back from a call, loses nothing
try {
  for (const a of session.answers) {
    if (a.ticket) { const t = ofTicket(a.ticket); t.stop(); log.append(t.el); opened(true); } else fill(newTurn(a.question), a);
  }
} catch { clear(); }
if (session.ticket) restore();
log.lastElementChild?.scrollIntoView();
if (location.hash === '#person') { // from the pre-check
  history.replaceState(null, '', location.pathname);
  askForPerson(null, stored('sessionStorage', NOTE) || '');
  stored('sessionStorage', NOTE, null);
}
fetch('/api/v1/suggestions', { headers: { Accept: 'application/json' } }).then((r) => r.json()).then(({ questions }) => {
  $('examples').querySelector('ul').replaceWith(chips(questions.slice(0, 6), (q) => submit(q, true), 'examples'));
  $('examples').hidden = !questions.length;
}).catch(() => {}); // examples are a help, not a need
