// Asking and answering, the talk with a person, and what a reload must not lose: the same for our page and for the element.
import { agreed } from './agreement.js';
import { ApiError, ask, call, newKey } from './api.js';
import { chips, renderAnswer } from './cards.js';
import { elderSwitch, sizeSwitch, unfoldOnPaper } from './display.js';
import { dialable, fillWith, h, stored, t as tr } from './dom.js';
import { showNotices } from './notices.js';
import { ratingLine } from './rating.js';

const T = {
  received: '已收到您的问题', searching: '正在查找法律条文和办事信息', composing: '正在整理回答', checking: '正在确认您不是自动程序，请稍等，不用操作',
  reconnecting: '连接断了，正在接上，不用重发', offline: '网络已断开，没有发出去。连上网后请重试。', failed: '服务暂时出了问题，请稍后重试。',
  unloaded: '没能打开，请检查网络后再点一次。', busy: '上一个问题还在查找，请稍等。', empty: '请先写下您的问题。', ask: '写下您的问题', tell: '写给工作人员的话',
  gone: '服务器上已没有之前的对话，工作人员看不到之前的内容。请在补充里写明事情经过，再点一次“转人工”。',
};
const UNFINISHED = /^clarify_|^answered_smalltalk$/; // asking back, or a greeting: nothing to rate yet
const SAID_ALOUD = /^(checking|reconnecting)$/; // what is out of the ordinary, to those who do not see it
const MAX = 2000, NEAR = 1800, KEEP = 20, PENDING_MS = 10 * 60000;
const SESSION = 'consult.session', NOTE = 'consult.note';
const WITH_PERSON = 'handover_with_person', PERSON = '转人工';

/**
 * Brings the markup in `root` to life (a document or a shadow root with the ids of index.html). `host` carries the classes of how it
 * looks, `sheets` is where sheets are opened, `scroller` what scrolls, `onNews(text)` hears what staff say, `print()` prints.
 * Returns `{ask, person, stop}`.
 */
export async function converse({
  root = document, host = document.documentElement, sheets = document.body, scroller = document.documentElement, base = '', site = 'home',
  print = () => window.print(), onNews = () => {}, examples = 6,
} = {}) {
  const $ = (id) => root.getElementById(id);
  const main = $('consult'), form = $('form'), box = $('question'), log = $('log'), send = $('send');
  const touch = matchMedia('(pointer: coarse)').matches, still = matchMedia('(prefers-reduced-motion: reduce)');
  // `answers` holds answers and, as {ticket}, finished talks, in order; `ticket` is the one that is open.
  let session = { conversation: null, answers: [], ticket: null, ...stored('sessionStorage', SESSION) };
  let desk = null, ended = false, running = null, person = null, composing = false, tipTimer;
  const region = () => main.dataset.region || null;
  const opened = (yes) => { $('welcome').hidden = yes; $('clear').hidden = !yes; main.classList.toggle('start', !yes); };
  const toEnd = (el, block) => el?.scrollIntoView({ block, behavior: motion() });

  const save = (change) => { session = { ...session, ...change }; stored('sessionStorage', SESSION, session); };
  const keep = (item) => save({ answers: [...session.answers, item].slice(-KEEP) });
  const claimed = () => person?.ticket.status === 'claimed';
  const waiting = () => person?.ticket.status === 'waiting';

  const tip = (text) => {
    clearTimeout(tipTimer);
    $('tip').textContent = tr(text);
    if (text) tipTimer = setTimeout(tip, 4000, '');
  };
  /** What is needed now and then is fetched then. */
  const load = (module, use) => module.then(use, () => tip(T.unloaded));
  const withDesk = async (use) => { desk ||= await import('./handover.js'); return use(); };
  const announce = (text) => { $('live').textContent = ''; setTimeout(() => { $('live').textContent = tr(text); }, 60); };
  const motion = () => (still.matches ? 'auto' : 'smooth');
  const show = (t) => (t.head.offsetHeight > scroller.clientHeight / 3 ? t.body : t.turn) // a long question must not push the answer off
    .scrollIntoView({ block: 'start', behavior: motion() });
  /** As much height for a turn as is to be seen at once, so that what is written at its end is not written below the edge. */
  const makeRoom = (t) => {
    const { '--top': top, '--dock': dock } = edges;
    t.turn.style.minHeight = `${scroller.clientHeight - top.offsetHeight - dock.offsetHeight}px`;
    show(t);
  };
  const fit = () => {
    box.style.height = 'auto';
    box.style.height = `${box.scrollHeight + 2}px`;
    const n = [...box.value.trim()].length;
    $('counter').hidden = n < NEAR;
    $('counter').classList.toggle('over', n > MAX);
    $('counter').textContent = tr(n > MAX ? `超出 ${n - MAX} 字，请删减后发送` : `${n} / ${MAX} 字`);
  };

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
    t.turn.style.minHeight = '';
    t.text.textContent = answer.question || t.text.textContent;
    if (answer.masked?.length) t.head.after(h('p', { class: 'masked' }, `已为您隐去：${answer.masked.join('、')}`));
    t.body.replaceChildren(renderAnswer(answer, {
      base, print, onAsk: (text) => submit(text, true), onPerson: () => askForPerson(answer),
      rating: answer.rating_token && !UNFINISHED.test(answer.outcome) && (() => ratingLine(answer.rating_token, { base, root: sheets, announce })),
    }));
  }
  function take(answer) {
    answer.received_at = Date.now();
    save({ conversation: answer.conversation || session.conversation });
    keep(answer);
  }

  /** Ask, or tell the person who owns the conversation; false when there is something to mend first. `again` is a turn that failed, `key` what words were sent under before. */
  function submit(question, moveFocus, again, key) {
    question = question.trim();
    if (running) { tip(T.busy); return false; }
    if (!question) { tip(T.empty); box.focus(); return false; }
    if ([...question].length > MAX) { tip($('counter').textContent); return false; }
    if (claimed() && !again) { tell(question, key); return true; }
    if (!agreed()) {
      load(import('./consent.js'), ({ askAgreement }) => askAgreement({ root: sheets, onYes: () => { if (submit(question, true, again, key) && box.value.trim() === question) { box.value = ''; fit(); } }, onNo: () => box.focus() }));
      return false;
    }
    const t = again || newTurn(question), stage = h('span', null, T.received), said = h('div', { class: 'summary' }), stop = new AbortController();
    t.key ||= key || newKey(); // kept for another try: what was asked under it is not asked again
    t.body.replaceChildren(h('div', { class: 'wait' }, h('i', { 'aria-hidden': 'true' }), stage,
      h('button', { type: 'button', class: 'plain', onclick: () => stop.abort() }, '停止')));
    save({ pending: { question, key: t.key, at: Date.now() } });
    show(t);
    if (moveFocus) t.head.focus({ preventScroll: true });
    let label = '', begun = false; // that a model writes what is streamed; whether its first sentence is there
    const progress = (at) => {
      if (!T[at] || stage.textContent === tr(T[at])) return;
      stage.textContent = tr(T[at]);
      if (SAID_ALOUD.test(at)) { announce(T[at]); toEnd(t.body, 'nearest'); }
    };
    running = stop;
    send.setAttribute('aria-disabled', 'true');
    ask(question, {
      base, site, key: t.key, consent: agreed(), conversation: session.conversation, region: region(), signal: stop.signal,
      onEvent: (name, data) => {
        if (running !== stop) return;
        if (name === 'status') {
          if (data.stage === 'composing') { label = data.label; begun = false; } // a cut that nobody went on after: it is written anew
          progress(said.isConnected && /^(received|searching)$/.test(data.stage) ? 'composing' : data.stage);
        }
        if (name === 'sentence') { // verified, but the answer may still be the extractive one without them
          if (!begun) { fillWith(said, label && h('p', { class: 'source ai' }, label)); begun = true; }
          const first = !said.isConnected;
          if (first) t.body.append(h('div', { class: 'answer arriving', 'aria-hidden': 'true' }, said));
          said.append(h('p', null, data.text));
          if (first) makeRoom(t);
        }
      },
    }).then((answer) => {
      if (running !== stop) return;
      if (answer.outcome === WITH_PERSON && person) { t.turn.remove(); person.poll(); return; } // somebody has just taken over
      take(answer);
      const inside = t.body.contains(root.activeElement); // on 停止, which goes away
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
        running = t.key = null;
        submit(question, moveFocus, t);
        return;
      }
      const retry = !(error.status >= 400 && error.status < 500) || [408, 429].includes(error.status);
      const message = error instanceof ApiError ? error.message : T.failed;
      const inside = t.body.contains(root.activeElement); // on 停止
      t.turn.style.minHeight = '';
      const again = retry && h('button', { type: 'button', class: 'primary', onclick: () => submit(question, true, t) }, '重试');
      if (again) notBefore(again, error.body?.error?.retry_after_s || 0);
      t.body.replaceChildren(h('div', { class: 'fail' }, h('p', { role: 'alert' }, dialable(message)), h('div', { class: 'row' },
        again,
        h('button', { type: 'button', class: 'plain', onclick: edit }, '修改问题'))));
      if (inside) t.head.focus({ preventScroll: true });
      show(t);
    }).finally(() => { if (running === stop) { running = null; save({ pending: null }); send.removeAttribute('aria-disabled'); tip(''); } });
    return true;
  }

  /** A button that can be pressed after so many seconds, and tells how long that is; what it says in between is not read aloud. */
  function notBefore(button, seconds) {
    const said = button.textContent;
    const tick = (left) => {
      button.disabled = left > 0;
      button.textContent = left > 0 ? tr(`${left} 秒后可重试`) : said;
      if (left > 0) setTimeout(tick, 1000, left - 1);
    };
    tick(seconds);
  }

  // ── the talk with a person ──────────────────────────────────────────────────────────
  /** The open talk into view, or the sheet that asks for consent; `about` is the answer it is asked from. */
  function askForPerson(about, note = '') {
    if (session.ticket && person) { toTalk(); return; }
    const last = session.answers.filter((a) => a.id).at(-1), key = newKey(); // for as long as the sheet is open
    withDesk(() => desk.consentSheet({ root: sheets, topic: (about || last)?.topic, note, send: async (body) => {
      if (!session.conversation) { // a wish for a person is a question like any other: it begins the conversation
        const answer = await ask(PERSON, { base, site, key, consent: agreed(), region: region() });
        take(answer);
        fill(newTurn(PERSON), answer);
      }
      const open = (answer) => desk.openTicket(session.conversation, { ...body, ...(answer && { answer }) }, base);
      const ticket = await open(about?.conversation === session.conversation && about.id).catch((e) => {
        if (e.code === 'answer_unknown') return open();
        if (e.code !== 'conversation_unknown') throw e;
        save({ conversation: null });
        throw new ApiError(e.code, T.gone, e.status);
      });
      save({ ticket: { id: ticket.id, contact: Boolean(body.contact) } });
      adopt(ticket);
      setTimeout(toTalk, 100); // after the sheet has given the focus back
    } })).catch(() => tip(T.unloaded));
  }
  const newest = () => person.el.querySelector('.messages > :last-child');
  const toTalk = () => { person.el.scrollIntoView({ block: 'start', behavior: motion() }); person.el.focus({ preventScroll: true }); };

  const ofTicket = (ticket) => desk.talk(session.conversation, ticket, {
    base, root: sheets, onChange: changed, onStaff: heard, rating: (token) => ratingLine(token, { kind: 'handover', base, root: sheets, announce }),
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
    onNews(text);
    const seen = scroller.clientHeight;
    if (!document.hidden && scroller.scrollTop + seen > scroller.scrollHeight - seen) toEnd(newest(), 'nearest');
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
    box.placeholder = $('question-label').textContent = tr(claimed() ? T.tell : T.ask);
    $('ask-person').textContent = tr(claimed() ? '人工对话' : waiting() ? '人工排队中' : PERSON);
  }
  /** Words for the person who owns the conversation; they come back, masked, with the messages. What was sent under a `key` is not said twice. */
  function tell(text, key = newKey()) {
    const item = person.sending(text);
    toEnd(newest(), 'nearest');
    ask(text, { base, site, key, consent: agreed(), conversation: session.conversation, region: region(), stream: false }).then(async (answer) => {
      if (answer.outcome !== WITH_PERSON) { take(answer); const t = newTurn(text); fill(t, answer); show(t); }
      await person?.poll();
      item.done();
    }).catch((e) => item.failed(e instanceof ApiError ? e.message : T.failed, () => (claimed() ? tell(text, key) : submit(text, false, null, key))));
  }
  function restore() {
    if (!session.conversation) return;
    withDesk(() => desk.readTicket(session.conversation, base)).then((ticket) => { if (!session.ticket) save({ ticket: { id: ticket.id } }); adopt(ticket); setTimeout(() => newest()?.scrollIntoView({ block: 'end' }), 100); })
      .catch((e) => { if (e.status === 404) save({ ticket: null }); else if (!ended) setTimeout(restore, 15000); });
  }

  // ── the page ────────────────────────────────────────────────────────────────────────
  async function clear(withdraw) {
    running?.abort();
    running = null; // its late result is then ignored
    send.removeAttribute('aria-disabled');
    const going = withdraw && session.ticket && person?.withdraw();
    person?.stop();
    session = { conversation: null, answers: [], ticket: null, pending: null };
    stored('sessionStorage', SESSION, null);
    stored('sessionStorage', 'consult.rated', null);
    log.replaceChildren(); leave(); opened(false); scroller.scrollTo(0, 0);
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
  root.addEventListener('copied', (e) => announce(e.detail));
  $('ask-person').addEventListener('click', () => askForPerson());
  $('mine').addEventListener('click', () => load(import('./mine.js'), ({ openMine }) => openMine(session.conversation, { root: sheets, base, print, onErased: (code) => { if (code === session.conversation) clear(); } })));
  const hideNotices = showNotices($('notices'), { base });

  $('clear').addEventListener('click', () => {
    const d = $('clear-dialog');
    $('clear-ticket').hidden = !session.ticket;
    $('withdraw').checked = Boolean(session.ticket) && !session.ticket.contact; // who left a number may still be called
    if (d.showModal) { d.returnValue = 'no'; d.showModal(); } else if (confirm($('clear-title').textContent)) clear();
  });
  $('clear-dialog').addEventListener('close', (e) => { if (e.target.returnValue === 'yes') clear($('withdraw').checked); });

  elderSwitch($('elder'), (on, asked) => { fit(); if (asked) tip(on ? '已切换为长辈版：大字、高对比' : '已切换为普通版'); }, host);
  sizeSwitch($('size'), (name) => { fit(); tip(`字号：${name}`); }, host);
  unfoldOnPaper('#log details', root);
  const net = () => { $('offline').hidden = navigator.onLine; };
  for (const name of ['online', 'offline']) addEventListener(name, net);
  const edges = { '--dock': main.querySelector('.dock'), '--top': root.querySelector('.top') }; // what must not cover what is scrolled to
  if (window.ResizeObserver) {
    const measure = new ResizeObserver(() => { for (const [name, el] of Object.entries(edges)) host.style.setProperty(name, `${el.offsetHeight}px`); });
    for (const el of Object.values(edges)) measure.observe(el);
  }

  net();
  opened(false);
  mode();
  // a reload, or coming back from a call, loses nothing
  if (session.answers.some((a) => a.ticket)) await withDesk(() => {}).catch(() => {});
  try {
    for (const a of session.answers) {
      if (a.ticket && desk) { const t = ofTicket(a.ticket); t.stop(); log.append(t.el); opened(true); } else if (!a.ticket) fill(newTurn(a.question), a);
    }
  } catch { clear(); }
  if (session.ticket) restore();
  log.lastElementChild?.scrollIntoView();
  const { pending } = session;
  if (pending && agreed() && Date.now() - pending.at < PENDING_MS) submit(pending.question, false, Object.assign(newTurn(pending.question), { key: pending.key }));

  call('/suggestions', { base }).then(({ questions }) => {
    $('examples').querySelector('ul').replaceWith(chips(questions.slice(0, examples), (q) => submit(q, true), 'examples'));
    $('examples').hidden = !questions.length;
  }).catch(() => {}); // examples are a help, not a need

  return {
    ask: (question) => submit(question),
    /** The sheet for a person, with a note from the pre-check. */
    person() { const note = stored('sessionStorage', NOTE) || ''; stored('sessionStorage', NOTE, null); askForPerson(null, note); },
    stop() {
      ended = true;
      running?.abort();
      running = null; // what was asked stays to be taken up again
      person?.stop();
      hideNotices();
      for (const name of ['online', 'offline']) removeEventListener(name, net);
    },
  };
}
