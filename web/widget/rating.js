// 好差评: one line under an answer or a finished talk, and the sheet that it opens. A rating is given once; what was given is
// remembered for this tab, so that a reload asks nothing twice.
import { call } from './api.js';
import { closeSheet, fillWith, h, moment, openSheet, stored } from './dom.js';

const GIVEN = 'consult.rated', KEEP = 60, BAD_UP_TO = 2;
const given = () => stored('sessionStorage', GIVEN) || {};
const remember = (token, result) => stored('sessionStorage', GIVEN, Object.fromEntries([...Object.entries(given()), [token, result]].slice(-KEEP)));

let form; // levels and aspects, fetched when somebody first rates
const formOf = (base) => (form ||= call('/ratings/form', { base }).catch((e) => { form = null; throw e; }));

/** `kind` is answer or handover; `root` is where the sheet is opened (document or a shadow root). */
export function ratingLine(token, { kind = 'answer', base = '', root = document, announce = () => {} } = {}) {
  const line = h('div', { class: 'rating', tabindex: '-1' });

  function ask(problem) {
    fillWith(line, h('span', null, kind === 'answer' ? '这个回答有帮助吗？' : '这次人工服务您满意吗？'),
      h('button', { type: 'button', class: 'plain', onclick: open }, '评价'), problem && h('span', { class: 'problem', role: 'alert' }, problem));
  }
  async function open() {
    try {
      const shape = await formOf(base);
      openSheet(root, sheet(shape, kind, (body) => call('/ratings', { base, method: 'POST', body: { token, ...body } }), async (result, error) => {
        if (error) result = await mine().catch(() => null); // rated elsewhere: show that
        if (result) show(result, error?.message); else ask(error.message);
        line.focus({ preventScroll: true });
        line.scrollIntoView({ block: 'nearest' });
        announce(line.innerText);
      }));
    } catch (e) { ask(e.message); }
  }
  const mine = () => call('/ratings/mine', { base, method: 'POST', body: { token } });

  function show(result, problem) {
    remember(token, result);
    const t = result.ticket;
    line.classList.add('given');
    fillWith(line, h('p', null, h('span', null, '您的评价：', h('b', null, result.label)), ' ', h('span', null, t ? '对不起，没有帮上您。' : '谢谢！')),
      problem && h('p', { class: 'problem', role: 'alert' }, problem),
      t && h('div', { class: 'bad' },
        h('dl', null, row('差评单号', t.id), row('进展', t.label), t.due_at && row('最晚', `${moment(t.due_at)} 前`)),
        t.replies?.length ? h('ul', { class: 'replies' }, t.replies.map((r) => h('li', null, h('b', null, `工作人员答复（${moment(r.sent_at)}）`), h('span', null, r.text))))
          : h('p', { class: 'small' }, '答复会写在这里。请保留本页，不要清除对话。'),
        h('button', { type: 'button', class: 'plain', onclick: async (e) => {
          e.currentTarget.disabled = true;
          try { show(await mine()); announce(`进展：${given()[token].ticket.label}`); } catch (error) { show(result, error.message); }
          line.querySelector('.bad button')?.focus({ preventScroll: true });
        } }, '查看办理情况')));
  }
  const known = given()[token];
  if (known) show(known); else ask();
  return line;
}

const row = (name, value) => h('div', null, h('dt', null, name), h('dd', null, value));

function sheet(shape, kind, send, done) {
  const pick = (type, name, value, text) => h('label', { class: 'pick' }, h('input', { type, name, value }), h('span', null, text));
  const problem = h('p', { class: 'problem', role: 'alert' });
  const comment = h('textarea', { id: 'rate-comment', rows: '3', maxlength: shape.max_comment_chars, 'aria-describedby': 'rate-hint' });
  const left = h('span');
  const more = h('div', { hidden: true },
    h('fieldset', null, h('legend', null, '哪方面不好？（可以选几项，也可以不选）'), h('div', { class: 'picks two' }, shape.aspects[kind].map((a) => pick('checkbox', 'aspect', a, a)))),
    h('label', { class: 'field', for: 'rate-comment' }, '哪里不好，您希望怎么改？（可以不写）'), comment,
    h('p', { id: 'rate-hint', class: 'small' }, `最多 ${shape.max_comment_chars} 字，请勿填写身份证号、电话等。`, left));
  const submit = h('button', { type: 'submit', class: 'primary' }, '提交评价');
  let sending = false;

  const view = h('dialog', { class: 'sheet', 'aria-labelledby': 'rate-title' }, h('form', { onsubmit: async (e) => {
    e.preventDefault();
    const data = new FormData(e.currentTarget), level = Number(data.get('level'));
    if (sending) return;
    if (!level) { problem.textContent = '请先选一个等级。'; view.querySelector('input').focus(); return; }
    sending = true;
    submit.setAttribute('aria-disabled', 'true');
    problem.textContent = '';
    try {
      const bad = level <= BAD_UP_TO;
      const result = await send({ level, aspects: bad ? data.getAll('aspect') : [], comment: bad ? comment.value.trim() : '' });
      closeSheet(view);
      done(result);
    } catch (error) {
      if (error.code === 'rating_given') { closeSheet(view); done(null, error); return; }
      sending = false;
      submit.removeAttribute('aria-disabled');
      problem.textContent = error.message;
    }
  } },
  h('h2', { id: 'rate-title', tabindex: '-1', autofocus: true }, kind === 'answer' ? '评价这个回答' : '评价这次人工服务'),
  h('fieldset', { onchange: (e) => { more.hidden = Number(e.target.value) > BAD_UP_TO; problem.textContent = ''; } },
    h('legend', null, '您满意吗？'), h('div', { class: 'picks' }, shape.levels.map(({ level, label }) => pick('radio', 'level', level, label)))),
  more,
  h('div', { class: 'row end' }, problem, h('button', { type: 'button', class: 'plain', onclick: () => closeSheet(view) }, '先不评'), submit)));
  comment.addEventListener('input', () => { left.textContent = comment.value ? ` 已写 ${[...comment.value].length} 字。` : ''; });
  return view;
}
