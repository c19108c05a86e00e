// What happens to what a citizen writes, said before the first question leaves: shown once, and again when its words change.
import { agree, VERSION } from './agreement.js';
import { closeSheet, h, openSheet } from './dom.js';

/** Opens the sheet; `onYes` and `onNo` hear the choice. */
export function askAgreement({ root = document.body, onYes, onNo }) {
  const told = (name, ...what) => h('div', null, h('dt', null, name), h('dd', null, h('span', null, what)));
  let yes = false;
  const button = (text, kind, onclick) => h('button', { type: 'button', class: kind, onclick }, text);
  const sheet = h('dialog', { class: 'sheet', 'aria-labelledby': 'agree-title' },
    h('h2', { id: 'agree-title', tabindex: '-1', autofocus: true }, '第一次提问前，请看一下'),
    h('p', { class: 'other-way' }, '有人身危险，请直接打 ', h('a', { href: 'tel:110' }, '110'), '；不想在这里问，可以打 ', h('a', { href: 'tel:12348' }, '12348'), '。'),
    h('dl', { class: 'told' },
      told('这是什么', '自动信息服务：查找法律条文和审核过的资料，不是律师意见，也不代替律师。'),
      told('存什么', '您的提问和给您的回答。手机号、身份证号、银行卡号等先自动隐去再保存；不要求登录，不问您是谁。'),
      told('做什么用', '回答您，检查回答对不对，改进这项服务。工作人员查看对话都有记录。'),
      told('您可以', '随时在“我的会话”里查看、打印和删除；到了保存期限也会自动删除。')),
    h('p', { class: 'small' }, h('span', { class: 'version' }, `说明版本 ${VERSION}`)),
    h('div', { class: 'row end' }, button('先不问', 'plain', () => closeSheet(sheet)),
      button('同意并发送', 'primary', () => { yes = true; closeSheet(sheet); })));
  sheet.addEventListener('close', () => {
    if (!yes) { onNo(); return; }
    agree();
    onYes();
  });
  return openSheet(root, sheet);
}
