// What is inside <legal-assistant> once it is open: the same markup as the page, made here, and brought to life by the same module.
import { converse } from './conversation.js';
import { h } from './dom.js';
import { speakAs } from './languages.js';

const HOTLINES = [
  ['12348', '公共法律服务热线', '法律咨询、法律援助'],
  ['12345', '上海市民服务热线', '咨询投诉，7×24 小时'],
  ['110', '报警', '有人身危险，先打这个'],
];
const EXAMPLES = 4;

const button = (id, text, more) => h('button', { type: 'button', id, class: 'tool', ...more }, text);
const line = ([number, name, note]) => h('li', { class: number === '110' && 'sos' }, h('a', { href: `tel:${number}` }, h('b', null, number), h('span', null, name, h('small', null, note))));

/** The ids are those of index.html: a test compares them. */
function markup(server) {
  return [
    h('header', { class: 'top' }, h('div', { class: 'top-in' },
      h('h1', { id: 'panel-title' }, h('span', { class: 'place' }, '上海市普陀区'), ' ', h('span', { class: 'name' }, '公共法律咨询助手')),
      h('div', { class: 'tools' }, button('clear', '清除对话', { hidden: true }), button('mine', '我的会话'), button('size', '字号'),
        button('elder', '长辈版', { 'aria-pressed': 'false' }), button('close', '关闭')))),
    h('div', { id: 'notices', class: 'banners', role: 'status', 'aria-label': '公告' }),
    h('div', { id: 'consult', class: 'main', 'data-region': '310107' },
      h('section', { id: 'welcome', 'aria-labelledby': 'hello' },
        h('h2', { id: 'hello', tabindex: '-1' }, '您好，请说说您遇到的事'),
        h('p', { class: 'intro' }, '用平常的话写就行。这里会查找现行法律条文、常见问题解答和普陀区的办事信息，并附上原文和来源。'),
        h('p', { class: 'to-check' }, h('a', { class: 'go', href: `${server}/legal-aid`, target: '_blank', rel: 'noopener' }, '法律援助预检：看看能不能申请')),
        h('div', { id: 'examples', hidden: true }, h('h3', null, '大家常问'), h('ul', { class: 'examples' })),
        h('div', { id: 'welcome-lines', class: 'lines' }, h('h3', null, '常用热线'), h('ul', { id: 'lines' }, HOTLINES.map(line)))),
      h('section', { id: 'log', 'aria-label': '咨询记录' }), h('div', { id: 'person' }),
      h('div', { class: 'dock' },
        h('p', { id: 'with-person', class: 'bar', hidden: true }, '正在和工作人员对话，助手不作答。'),
        h('p', { id: 'offline', class: 'bar', role: 'status', hidden: true }, '网络已断开。已写的内容不会丢，连上网后再发送。'),
        h('form', { id: 'form', novalidate: true },
          h('label', { class: 'sr', for: 'question', id: 'question-label' }, '您的问题'),
          h('div', { class: 'box' },
            h('textarea', { id: 'question', rows: '1', placeholder: '写下您的问题', enterkeyhint: 'send', autocomplete: 'off', 'aria-describedby': 'privacy counter' }),
            h('button', { type: 'submit', id: 'send', class: 'primary' }, '发送')),
          h('p', { id: 'tip', class: 'tip', role: 'status' }), h('p', { id: 'counter', class: 'counter', hidden: true })),
        h('div', { class: 'below' },
          h('div', { class: 'small' }, h('p', { id: 'privacy' }, '请勿填写身份证号、银行卡号等。'),
            h('p', { id: 'disclaimer', class: 'disclaimer' }, '自动信息服务，不是律师意见。', h('span', null, '人工咨询：', h('a', { href: 'tel:12348' }, '12348')))),
          h('button', { type: 'button', id: 'ask-person', class: 'plain' }, '转人工')),
        h('p', { id: 'live', class: 'sr', role: 'status' }))),
    h('dialog', { id: 'clear-dialog', 'aria-labelledby': 'clear-title' }, h('form', { method: 'dialog' },
      h('h2', { id: 'clear-title' }, '清除本页的全部对话？'),
      h('p', null, '清除后会开始新的咨询，页面上的内容无法找回，工作人员的回复也不再显示在这里。'),
      h('label', { id: 'clear-ticket', class: 'pick', hidden: true }, h('input', { type: 'checkbox', id: 'withdraw' }), ' ', h('span', null, '同时撤回转人工')),
      h('div', { class: 'row' }, h('button', { value: 'no', class: 'plain' }, '不清除'), h('button', { value: 'yes', class: 'danger' }, '清除')))),
  ];
}

/** Builds the panel in the element's shadow root. Returns `{show, hide, ask, stop}`; `hide()` says whether it was open. */
export async function buildPanel(element, { server, site, lang, label, onClose, onNews, print }) {
  const root = element.shadowRoot, panel = h('div', { class: 'panel', role: 'dialog', 'aria-labelledby': 'panel-title', hidden: true });
  await speakAs(lang, panel); // before anything is made
  panel.append(...markup(server));
  root.append(panel);
  const close = root.getElementById('close');
  close.setAttribute('aria-label', label);
  close.addEventListener('click', onClose);
  panel.addEventListener('keydown', (e) => {
    if (e.key === 'Escape' && !e.isComposing && !panel.querySelector('dialog[open]')) { e.stopPropagation(); onClose(); }
  });
  panel.hidden = false; // measured while it is shown
  const talk = await converse({ root, host: element, sheets: panel, scroller: panel, base: server, site, print, onNews, examples: EXAMPLES });
  return {
    show() { panel.hidden = false; root.getElementById('question').focus({ preventScroll: true }); },
    hide() { const was = !panel.hidden; panel.hidden = true; return was; },
    ask: talk.ask,
    stop: talk.stop,
  };
}
