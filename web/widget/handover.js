// From the assistant to a person: the sheet that asks for consent, and the talk with its state, kept up to date by asking.
import { call } from './api.js';
import { closeSheet, fillWith, h, moment, openSheet, phone, source } from './dom.js';

const CONSENT = '2026-11-30'; // version of the words below
const NOTE_CHARS = 500, MANY = 200; // messages that come at once
const PACE = { waiting: [5000, 30000], claimed: [3000, 15000] }; // ms between questions: when something happens, and at rest
const HIDDEN_MS = 60000, TROUBLE_MS = 60000;

const pathOf = (conversation) => `/conversations/${encodeURIComponent(conversation)}/handover`;

/** Ask for consent; `send({consent, note, contact})` passes it on and may throw ApiError. Nothing leaves before the box is ticked. */
export function consentSheet({ root = document, topic, note = '', send }) {
  const problem = h('p', { id: 'person-problem', class: 'problem', role: 'alert' });
  const said = h('textarea', { id: 'person-note', rows: '3', maxlength: NOTE_CHARS, 'aria-describedby': 'person-note-hint' });
  const number = h('input', { id: 'person-phone', type: 'tel', inputmode: 'tel', autocomplete: 'tel', maxlength: 40, 'aria-describedby': 'person-phone-hint' });
  const agree = h('input', { type: 'checkbox', id: 'person-agree', 'aria-describedby': 'person-problem' });
  const submit = h('button', { type: 'submit', class: 'primary' }, '转人工');
  const told = (name, ...what) => h('div', null, h('dt', null, name), h('dd', null, h('span', null, what)));
  let sending = false;
  said.value = [...note].slice(0, NOTE_CHARS).join('');

  const view = h('dialog', { class: 'sheet', 'aria-labelledby': 'person-title' }, h('form', { novalidate: true, onsubmit: async (e) => {
    e.preventDefault();
    if (sending) return;
    if (!agree.checked) { problem.textContent = '请先勾选“我同意”。'; agree.focus(); return; }
    sending = true;
    submit.setAttribute('aria-disabled', 'true');
    problem.textContent = '';
    try {
      await send({ consent: true, note: said.value.trim(), contact: number.value.trim() });
      closeSheet(view);
    } catch (error) {
      problem.textContent = error.message;
      if (error.code === 'contact_invalid') number.focus();
      sending = false;
      submit.removeAttribute('aria-disabled');
    }
  } },
  h('h2', { id: 'person-title', tabindex: '-1', autofocus: true }, '转给工作人员'),
  h('dl', { class: 'told' },
    told('交给谁', '普陀区公共法律服务的工作人员（由哪个窗口接手，待区司法局确认）。'),
    told('交什么', `您在这里的提问（手机号、身份证号等已隐去）、给您看过的回答、事情的类别${topic ? `（${topic}）` : ''}和地区，还有您在下面写的。`),
    told('怎么看', '只为办您的事看，每次查看都有记录。'),
    told('留多久', '保存期限待区司法局确认。可以随时撤回，撤回后不再办理，但不等于删除。')),
  h('label', { class: 'field', for: 'person-note' }, '要补充的话（可以不写）'), said,
  h('p', { id: 'person-note-hint', class: 'small' }, `最多 ${NOTE_CHARS} 字，请勿填写身份证号、银行卡号。`),
  h('label', { class: 'field', for: 'person-phone' }, '回电号码（可以不写）'), number,
  h('p', { id: 'person-phone-hint', class: 'small' }, '手机号，或者座机号（外地座机加区号）。只给接手的工作人员看。'),
  h('p', { class: 'small other-way' }, '不想这样转，可以直接打 ', h('a', { href: 'tel:12348' }, '12348'), '。', h('span', { class: 'version' }, `说明版本 ${CONSENT}`)),
  h('div', { class: 'row end' }, h('label', { class: 'pick agree' }, agree, h('span', null, '我同意把上面写的内容交给工作人员')), problem, h('button', { type: 'button', class: 'plain', onclick: () => closeSheet(view) }, '不转了'), submit)));
  return openSheet(root, view);
}

/** Hand a conversation over. Throws ApiError. */
export const openTicket = (conversation, body, base) => call(pathOf(conversation), { base, method: 'POST', body });

/** The newest ticket of a conversation, from its first message on. Throws ApiError. */
export const readTicket = (conversation, base) => call(pathOf(conversation), { base });

/**
 * The talk about one ticket: `el` goes on the page. `onChange(ticket)` hears of each new state, `onStaff(text)` of each message from
 * staff, `rating(token)` gives the line that asks for a rating. It keeps itself up to date until the ticket is closed or `stop()`.
 */
export function talk(conversation, ticket, { base = '', root = document, onChange = () => {}, onStaff = () => {}, rating } = {}) {
  const head = h('div', { class: 'state' }), list = h('ol', { class: 'messages' }), foot = h('div');
  const el = h('section', { class: 'talk', 'aria-label': '人工服务', tabindex: '-1' }, head, list, foot);
  let state = { ...ticket, messages: [] }, seq = 0, timer, pause = 0, failures = 0, busy = false, stopped = false;

  function take(t) {
    if (t.id !== state.id) { list.replaceChildren(); seq = 0; state.messages = []; } // another was opened since
    const fresh = t.messages.filter((m) => m.seq > seq), moved = t.status !== state.status || t.id !== state.id;
    seq = Math.max(seq, ...fresh.map((m) => m.seq));
    state = { ...t, messages: [...state.messages, ...fresh] };
    list.append(...fresh.filter((m) => !(m.from === 'system' && t.summary && m === t.messages.at(-1))).map(bubble)); // the end is told below
    list.append(...list.querySelectorAll('.pending'));
    draw();
    return { fresh, moved };
  }

  function draw() {
    const here = state.presence?.text, nobody = state.presence && !state.presence.online; // nobody is there: then no time is promised
    const due = new Date(state.due_at), late = due < Date.now(), urgent = state.due_at === state.created_at;
    const tag = (text) => h('b', { class: `tag ${state.status}` }, text), button = (text, ask) => h('button', { type: 'button', class: 'plain', onclick: () => confirmEnd(text, ask) }, text);
    const [label, note, end] = {
      waiting: ['排队中', urgent ? `${nobody ? here : '已请工作人员马上接手。'}有危险请先打 110。` : late ? `${here ? `${here} ` : ''}原定 ${moment(state.due_at)} 前接手，现在已经超过。着急请直接打 12348。` : `${here ? `${here} ` : ''}${nobody ? '' : `等工作人员接手，最晚 ${moment(state.due_at)} 前。`}您可以先去忙，也可以继续提问。`,
        button('撤回', '撤回后，工作人员不再办理这次请求。')],
      claimed: ['已有人接手', '您在下面写的话直接给工作人员，助手不作答。', button('结束', '结束后，工作人员不再回复这次请求。')],
      closed: ['已结束', state.closed_at && moment(state.closed_at)],
    }[state.status];
    const trouble = failures > 1 && h('p', { class: 'problem' }, '暂时连不上，正在重试。');
    fillWith(head, h('h2', null, '人工服务 ', tag(label)), h('p', null, note), trouble, end);
    fillWith(foot, state.status === 'closed' && ending());
  }

  function ending() {
    const t = state, referral = t.referral, row = (name, value) => value && h('div', null, h('dt', null, name), h('dd', null, h('span', null, value)));
    return [t.summary && h('div', { class: 'ending' }, h('h3', null, '处理结果'), h('dl', null, row('结果', t.outcome_label), row('情况', t.summary),
      referral && [row('找谁', referral.to), row('怎么联系', phone(referral.contact)), row('转交', referral.passed_on ? '已经替您转交' : '没有转交，请您自己联系')])),
    t.rating_token && rating?.(t.rating_token), source(`工单号 ${t.id}`)];
  }

  function confirmEnd(name, text) {
    const problem = h('p', { class: 'problem', role: 'alert' });
    const sheet = h('dialog', { class: 'ask', 'aria-labelledby': 'end-title' }, h('h2', { id: 'end-title' }, `${name}人工服务？`), h('p', null, text), problem,
      h('div', { class: 'row end' }, h('button', { type: 'button', class: 'plain', onclick: () => closeSheet(sheet) }, '再等等'),
        h('button', { type: 'button', class: 'danger', onclick: () => withdraw().then(() => { closeSheet(sheet); el.focus(); }, (e) => { problem.textContent = e.message; }) }, name)));
    openSheet(root, sheet);
  }

  async function withdraw() {
    const t = await call(pathOf(conversation), { base, method: 'DELETE' });
    if (stopped) return;
    take(t);
    onChange(state);
  }

  async function poll() {
    clearTimeout(timer);
    if (stopped || busy) { if (busy) schedule(); return; }
    busy = true;
    try {
      const t = await call(`${pathOf(conversation)}?after=${seq}`, { base }), other = t.id !== state.id;
      if (stopped) return;
      failures = 0;
      const { fresh, moved } = take(t);
      const lively = moved || fresh.length;
      pause = lively ? 0 : pause * 1.3;
      if (lively || other) onChange(state);
      for (const m of fresh) if (m.from === 'staff') onStaff(m.text);
      if (fresh.length === MANY) pause = -1; // more are waiting
    } catch (e) {
      if (stopped) return;
      failures += 1;
      if (e.status === 404) { stopped = true; onChange(null); } else draw();
    } finally { busy = false; schedule(); }
  }

  function schedule() {
    clearTimeout(timer);
    if (stopped || state.status === 'closed') return;
    const [least, most] = PACE[state.status];
    pause = pause < 0 ? 0.1 : Math.min(Math.max(pause, least), most);
    const wait = failures ? Math.min(least * 2 ** failures, TROUBLE_MS) : document.hidden ? HIDDEN_MS : pause;
    timer = setTimeout(poll, wait);
  }

  const wake = () => { if (!document.hidden && state.status !== 'closed') { pause = 0; poll(); } };
  document.addEventListener('visibilitychange', wake);
  addEventListener('online', wake);

  take(ticket);
  schedule();
  return {
    el,
    poll() { pause = 0; return poll(); },
    withdraw,
    /** The citizen's words on their way; the stored ones take their place. */
    sending(text) {
      const item = h('li', { class: 'citizen pending' }, h('p', { class: 'who' }, '正在发送'), h('p', { class: 'said' }, text));
      list.append(item);
      return { done: () => item.remove(), failed: (message, again) => {
        item.classList.add('lost');
        item.querySelector('.who').replaceChildren(h('span', { role: 'alert' }, `没有发出：${message}`), ' ',
          h('button', { type: 'button', class: 'plain', onclick: () => { item.remove(); again(); } }, '重发'));
        item.scrollIntoView({ block: 'nearest' });
      } };
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', wake);
      removeEventListener('online', wake);
    },
    get ticket() { return state; },
  };
}

const WHO = { citizen: '我', staff: '工作人员', system: '系统消息' };
const bubble = (m) => h('li', { class: m.from }, h('p', { class: 'who' }, h('b', null, WHO[m.from]), ' ', h('time', { datetime: m.sent_at }, moment(m.sent_at))),
  h('p', { class: 'said' }, m.text));
