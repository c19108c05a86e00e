// 我的会话: its code, and what is stored of it to see, to print and to erase; another one by typing its code.
import { call } from './api.js';
import { closeSheet, copyButton, fillWith, h, moment, openSheet } from './dom.js';

const pathOf = (code) => `/conversations/${encodeURIComponent(code)}`;
const WHO = { citizen: '我', staff: '工作人员', system: '系统消息' };

/** Opens the panel; `code` is that of this page (null before the first question), `onErased(code)` hears that one is gone. */
export function openMine(code, { root = document, base = '', print = () => window.print(), onErased = () => {} } = {}) {
  const out = h('div', { class: 'stored', tabindex: '-1' }), problem = h('p', { class: 'problem', role: 'alert' }), said = h('p', { role: 'status' });
  const box = h('input', { id: 'mine-code', type: 'text', maxlength: '40', autocomplete: 'off', spellcheck: 'false', 'aria-describedby': 'mine-hint' });
  box.value = code || '';
  const run = async (work) => { problem.textContent = said.textContent = ''; try { await work(); } catch (e) { problem.textContent = e.message; box.focus(); } };
  const wanted = () => { const typed = box.value.trim(); if (!typed) throw new Error('请先填写会话编号。'); return typed; };
  const see = () => run(async () => { const it = await call(pathOf(wanted()), { base }); fillWith(out, ...content(it)); out.focus(); });
  const erase = () => run(async () => {
    const it = wanted();
    ask(root, async () => {
      const done = await call(pathOf(it), { base, method: 'DELETE' });
      out.replaceChildren();
      said.textContent = done.message;
      onErased(it);
    });
  });
  const button = (text, onclick, kind = 'plain') => h('button', { type: 'button', class: kind, onclick }, text);
  const sheet = h('dialog', { class: 'sheet mine', 'aria-labelledby': 'mine-title' },
    h('h2', { id: 'mine-title', tabindex: '-1', autofocus: true }, '我的会话'),
    code ? h('p', null, '这次会话的编号：', h('code', null, code), ' ', copyButton(code, '会话编号')) : h('p', null, '这一页还没有提问。有编号的话，可以在下面填写。'),
    h('label', { class: 'field', for: 'mine-code' }, '会话编号'), box,
    h('p', { id: 'mine-hint', class: 'small' }, '谁有编号，谁就能查看和删除，请不要告诉别人。记下编号，换一台设备也能查。'),
    problem, said, out,
    h('div', { class: 'row end' }, button('查看', see), button('打印', () => run(async () => { if (!out.childElementCount) await see(); if (out.childElementCount) print(); })), button('删除', erase, 'danger'), button('关闭', () => closeSheet(sheet))));
  return openSheet(root, sheet);
}

function ask(root, erase) {
  const problem = h('p', { class: 'problem', role: 'alert' });
  const sheet = h('dialog', { class: 'ask', 'aria-labelledby': 'erase-title' }, h('h2', { id: 'erase-title' }, '删除这个会话？'),
    h('p', null, '提问、回答和与工作人员的对话都会从服务器上删除，不能恢复。评价只留下星级和月份。'), problem,
    h('div', { class: 'row end' }, h('button', { type: 'button', class: 'plain', onclick: () => closeSheet(sheet) }, '不删除'),
      h('button', { type: 'button', class: 'danger', onclick: () => erase().then(() => closeSheet(sheet), (e) => { problem.textContent = e.message; }) }, '删除')));
  openSheet(root, sheet);
}

const content = (it) => [
  h('p', { class: 'small' }, `${moment(it.started_at)} 开始，编号 ${it.conversation}`),
  ...it.answers.map((a) => h('article', null, h('h3', null, a.question), h('p', { class: 'small' }, moment(a.asked_at)),
    a.caution && h('p', { class: 'words' }, a.caution), h('p', { class: 'words' }, a.summary),
    a.citations.length > 0 && h('p', null, `依据：${a.citations.map((c) => `《${c.law}》${c.article}`).join('、')}`),
    a.steps.length > 0 && h('p', null, `下一步：${a.steps.map((s) => s.title + (s.phone ? `（${s.phone}）` : '')).join('、')}`))),
  ...it.handovers.map((t) => h('article', null, h('h3', null, '和工作人员的对话'), t.messages.map((m) => h('p', { class: 'words' }, h('b', null, WHO[m.from]), ` ${moment(m.sent_at)}：${m.text}`)),
    t.summary && h('p', null, `结果：${t.summary}`))),
];
