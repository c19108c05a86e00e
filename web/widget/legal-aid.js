// The legal-aid pre-check: one question a screen, then a result to print. Nothing is sent but the answers, and nothing is kept on the
// server. They live in this tab: in history.state, so that the browser's own back works, and in sessionStorage for coming back.
import { call } from './api.js';
import { elderSwitch, unfoldOnPaper } from './display.js';
import { copy, fillWith, h, stored } from './dom.js';
import { renderResult } from './precheck-result.js';

const KEPT = 'consult.precheck', NOTE = 'consult.note', NOTE_CHARS = 500;
const $ = (id) => document.getElementById(id);
const main = $('check'), title = document.title;
let opening = null, turn = 0; // a late reply to an older question is dropped
const picked = {}; // what was picked last at each question, for those who go back

const answersNow = () => history.state?.answers ?? null; // null: at the start
const kept = () => stored('sessionStorage', KEPT);
const without = (answers, from) => Object.fromEntries(Object.entries(answers).slice(0, from));

function screen(name, heading, ...kids) {
  main.className = name;
  fillWith(main, kids);
  document.title = heading ? `${heading} · ${title}` : title;
  scrollTo(0, 0);
}
function focusHeading() { ($('verdict') || main.querySelector('h2'))?.focus({ preventScroll: true }); }

/** Go on with these answers; the browser's back returns to the ones before. `step`: the entry before is one question earlier. */
function go(answers, { step = false, replace = false } = {}) {
  history[replace ? 'replaceState' : 'pushState']({ answers, step }, '');
  return render(true);
}

async function render(moved) {
  const answers = answersNow(), mine = ++turn;
  try {
    opening ||= await call('/legal-aid');
    const next = answers ? await call('/legal-aid/check', { method: 'POST', body: { answers } }) : null;
    if (mine !== turn) return;
    if (answers) stored('sessionStorage', KEPT, answers);
    if (!next) start(); else if (next.question) question(next.question, answers); else result(next, answers);
    if (moved) focusHeading();
  } catch (error) {
    if (mine !== turn) return;
    if (error.status === 400 && answers) { problem(error.message, answers); return; }
    screen('', '', h('div', { class: 'fail', role: 'alert' }, h('p', null, error.message),
      h('div', { class: 'row' }, h('button', { type: 'button', class: 'primary', onclick: () => render(true) }, '重试'), h('a', { class: 'button', href: 'tel:12348' }, '打 12348'))));
  }
}

function start() {
  const before = kept();
  screen('opening', '', h('h2', { tabindex: '-1' }, opening.title), h('p', { class: 'lead' }, opening.intro),
    h('p', { class: 'not-decision' }, opening.disclaimer),
    h('div', { class: 'row' },
      before && Object.keys(before).length > 0 && h('button', { type: 'button', class: 'primary', onclick: () => go(before) }, '接着上次的回答'),
      h('button', { type: 'button', class: before ? 'plain' : 'primary', onclick: () => go({}) }, before ? '从头开始' : '开始')),
    h('p', { class: 'small' }, '回答只用来判断，不保存在服务器上。关掉这个页面，回答就没有了。'),
    rules(opening.rules));
}

const rules = (r) => h('p', { class: 'source rules' }, h('span', null, `依据：${r.source}`), ' ', h('span', null, `核对于 ${r.checked_on}`), ' ', h('span', null, `规则版本 ${r.version}`));

/** Refused answers are the last ones given: show the question again, with what is wrong. */
async function problem(message, answers) {
  const names = Object.keys(answers), last = names.at(-1), fewer = without(answers, names.length - 1);
  const again = last && await call('/legal-aid/check', { method: 'POST', body: { answers: fewer } }).catch(() => null);
  if (!again?.question) { stored('sessionStorage', KEPT, null); history.replaceState(null, ''); await render(true); $('live').textContent = message; return; }
  history.replaceState({ answers: fewer, step: false }, '');
  question(again.question, fewer, message);
  main.querySelector('.problem').focus();
}

function question(q, answers, wrong) {
  const chosen = picked[q.id] ?? kept()?.[q.id];
  const type = q.many ? 'checkbox' : 'radio', names = Object.keys(answers);
  const on = (id) => (q.many ? Array.isArray(chosen) && chosen.includes(id) : chosen === id);
  const boxes = q.options.map((o) => {
    const input = h('input', { type, name: q.id, value: o.id, checked: on(o.id) });
    return { input, alone: o.alone, el: h('label', { class: 'pick' }, input, h('span', null, o.label)) };
  });
  const says = h('p', { class: 'problem', role: 'alert', tabindex: '-1' }, wrong);
  const change = (e) => { // 都没有 and its like stand alone
    says.textContent = '';
    const me = boxes.find((b) => b.input === e.target);
    if (q.many && me?.input.checked) for (const b of boxes) if (b !== me && (b.alone || me.alone)) b.input.checked = false;
  };
  const submit = (e) => {
    e.preventDefault();
    const values = boxes.filter((b) => b.input.checked).map((b) => b.input.value);
    if (!values.length) { says.textContent = q.many ? '请至少选一项；都不符合的，选最后一项。' : '请选一项。'; boxes[0].input.focus(); return; }
    picked[q.id] = q.many ? values : values[0];
    go({ ...answers, [q.id]: picked[q.id] }, { step: true });
  };
  const many = q.many && !/可以选几项/.test(q.text) ? '（可以选几项）' : '';
  screen('asking', `第 ${q.number} 题`, h('form', { novalidate: true, onsubmit: submit, onchange: change },
    h('p', { class: 'progress' }, h('b', null, `第 ${q.number} 题`), h('span', { class: 'dots', 'aria-hidden': 'true' }, names.map(() => h('i')), h('i', { class: 'now' })),
      names.length > 0 && h('button', { type: 'button', class: 'copy', onclick: restart }, '从头开始')),
    h('h2', { id: 'ask', tabindex: '-1' }, q.text, many), q.help && h('p', { id: 'help', class: 'help' }, q.help),
    h('div', { role: q.many ? 'group' : 'radiogroup', 'aria-labelledby': 'ask', 'aria-describedby': q.help && 'help', class: 'picks' }, boxes.map((b) => b.el)),
    h('div', { class: 'dock' }, says, h('div', { class: 'row' },
      h('button', { type: 'button', class: 'plain', onclick: () => back(answers) }, names.length ? '上一题' : '返回'),
      h('button', { type: 'submit', class: 'primary' }, '下一题')))));
}

function back(answers) {
  const names = Object.keys(answers);
  if (history.state?.step) history.back();
  else go(names.length ? without(answers, names.length - 1) : null, { replace: true });
}
function restart() {
  for (const name of Object.keys(picked)) delete picked[name];
  stored('sessionStorage', KEPT, null);
  stored('sessionStorage', `${KEPT}.papers`, null);
  go(null);
}

function result({ result: r, rules: by }, answers) {
  screen('result', r.label, renderResult(r, {
    rules: rules(by),
    bring: stored('sessionStorage', `${KEPT}.papers`) || [],
    onBring: (list) => stored('sessionStorage', `${KEPT}.papers`, list),
    tools: [
      h('button', { type: 'button', class: 'primary', onclick: () => window.print() }, '打印，带去窗口'),
      h('button', { type: 'button', class: 'plain', onclick: (e) => copy(r.summary, e.currentTarget) }, '复制文字'),
      h('button', { type: 'button', class: 'plain', onclick: () => toPerson(r) }, '转人工'),
      h('a', { class: 'button', href: '/' }, '返回提问'),
      h('button', { type: 'button', class: 'plain', onclick: () => back(answers) }, '上一题'),
      h('button', { type: 'button', class: 'plain', onclick: restart }, '从头开始'),
    ],
  }));
}

/** The result goes along as a note that the citizen sees, may change, and sends only with consent. */
function toPerson(r) {
  const said = r.answers.map((a) => `${a.question.replace(/（.*?）/g, '')}${a.chosen.join('、')}`).join('；');
  stored('sessionStorage', NOTE, [...`法律援助预检：${r.label}。我的回答：${said}。`].slice(0, NOTE_CHARS).join(''));
  location.href = '/#person';
}

elderSwitch($('elder'), (on, asked) => { if (asked) $('live').textContent = on ? '已切换为长辈版' : '已切换为普通版'; });
unfoldOnPaper('.fold');
document.addEventListener('copied', (e) => { $('live').textContent = e.detail; });
addEventListener('popstate', () => render(true));
render(false);
