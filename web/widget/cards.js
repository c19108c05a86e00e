// The DOM of an answer and of what it is made of: articles, next steps, people to turn to.
import { copy, copyButton, h, lines, phone, source } from './dom.js';

export const NOTE = '以上由公共法律咨询助手自动查找法律条文和已审核资料得出，不是律师意见。人工咨询请拨 12348。';
const KINDS = {
  answered_faq: '常见问题解答', answered_law: '相关法律条文', answered_article: '条文原文', answered_service: '办事信息',
  answered_repealed: '已失效的法律', answered_legal_aid: '法律援助预检结果', clarify: '请您选一下', clarify_legal_aid: '法律援助预检',
  handover: '找人工', handover_with_person: '已转给工作人员', unanswerable: '暂时答不准', unanswerable_off_topic: '不在解答范围',
  unanswerable_other_region: '外地事务', refused: '不能解答', failed: '没有查成',
};
const HOTLINES = [
  { title: '公共法律服务热线', phone: '12348', note: '法律咨询、法律援助' },
  { title: '上海市民服务热线', phone: '12345', note: '其他政务咨询、投诉、求助' },
];
const READ_BY_MODEL = '其中把您这句话和前面的合在一起的说法，由人工智能生成。';
const FRESH_MS = 15 * 60000; // after that nobody should be told that a window is open now
const NUMBERED = /^(\d{1,2})\s*[.、．)）]\s*(?!\d)(.+)$/;
const short = (law) => law.replace(/^中华人民共和国/, '');
const written = (a, field = 'summary') => a.model?.generated?.includes(field); // by a language model
const words = (a) => (written(a) && a.summary.startsWith(a.model.label) ? a.summary.slice(a.model.label.length) : a.summary); // the label stands above
const byModel = (a, label) => h('p', { class: 'source ai' }, h('span', null, label), ' ', h('span', null, [a.model.name, a.model.filing].filter(Boolean).join('，')));
const kindOf = (a) => KINDS[a.outcome] || KINDS[a.outcome.split('_')[0]];

/** Plain text as paragraphs, numbered lists and 【headings】; numbered lines that are buttons below are left out. */
function prose(text, lead, buttons = []) {
  const out = [];
  let list = null;
  for (const line of lines(text)) {
    const m = NUMBERED.exec(line), heading = /^【(.+)】$/.exec(line);
    if (m && buttons.includes(m[2])) continue;
    if (m && !list) out.push(list = h('ol'));
    if (m) { list.append(h('li', { value: m[1] }, m[2])); continue; }
    list = null;
    if (heading) { out.push(h('h3', null, heading[1])); continue; }
    const first = (lead && !out.length && /^.{4,60}?(?:[。！？]|$)/.exec(line)?.[0]) || '';
    out.push(h('p', null, first && h('strong', null, first), line.slice(first.length)));
  }
  return out;
}

export function facts(s, fresh = true) {
  const now = fresh && s.open_now && h('span', { class: /现在开放/.test(s.open_now) ? 'now open' : 'now' }, s.open_now);
  const rows = [['地点', s.where, true], ['电话', s.phone, true], ['时间', s.hours || (now && ' ')], ['费用', s.fee], ['期限', s.deadline]];
  const dl = h('dl', null, rows.filter((r) => r[1]).map(([name, value, copies]) => h('div', null, h('dt', null, name),
    h('dd', { class: name === '期限' && 'due' }, h('span', null, name === '电话' ? phone(value) : value, name === '时间' && now),
      copies && copyButton(value, `${name} ${value}`)))));
  return dl.childElementCount ? dl : null;
}

/** A next step; folded unless `open`, so that a phone shows all the choices at once. */
export function step(s, { open, fresh, base = '' } = {}) {
  const how = lines(s.how).map((t) => NUMBERED.exec(t)?.[2] || t);
  return h('details', { class: 'card', open }, h('summary', null, h('h4', null, s.title)),
    how.length > 1 ? h('ol', null, how.map((t) => h('li', null, t))) : how.map((t) => h('p', null, t)),
    s.id === 'service-legal-aid-apply' && preCheckLink(base), facts(s, fresh),
    source(s.source && `来源：${s.source}`, s.checked_on && `核对于 ${s.checked_on}`));
}

const preCheckLink = (base, text = '先做法律援助预检（不用留姓名）') => h('p', null, h('a', { class: 'go', href: `${base}/legal-aid` }, text));

export function citation(c, open) {
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

function handoverBox(handover, fresh, onPerson) {
  const urgent = handover.kind === 'urgent', reason = handover.reason && h('p', { class: 'reason' }, handover.reason);
  return h('section', { class: urgent ? 'handover urgent' : 'handover' },
    h('h3', null, urgent ? '请先保证人身安全' : '可以这样找到人'), !urgent && reason,
    h('ul', { class: 'targets' }, (handover.targets || []).map((t) => h('li', null,
      h('p', { class: 'target' }, h('b', null, t.title), t.note && h('span', null, t.note)),
      t.phone && h('p', { class: 'dial' }, phone(t.phone), !urgent && copyButton(t.phone, `电话 ${t.phone}`)),
      facts({ ...t, phone: null }, fresh && !urgent)))),
    onPerson && h('p', { class: 'ask-person' }, h('button', { type: 'button', class: 'plain', onclick: onPerson }, '转人工'),
      h('span', null, urgent ? '电话打完以后，可以在这里和工作人员说' : '不方便打电话，可以在这里和工作人员说')),
    urgent && reason);
}

export const chips = (texts, onAsk, name = 'chips') => h('ul', { class: name }, texts.map((text) => h('li', null,
  h('button', { type: 'button', class: 'chip', onclick: () => onAsk(text) }, text))));

/** The DOM of one answer. onAsk(text) hears a chosen chip, onPerson() a wish for a person; rating() gives the line that asks for a
 *  rating; `fresh` is false when what it says of now may not hold any more. */
export function renderAnswer(a, { onAsk = () => {}, onPerson, rating, base = '', print = () => window.print() } = {}) {
  const kind = kindOf(a), group = a.outcome.split('_')[0], urgent = a.handover?.kind === 'urgent';
  const fresh = !a.received_at || Date.now() - a.received_at < FRESH_MS;
  const handover = a.handover || (/^(unanswerable|failed)$/.test(group) && a.outcome !== 'unanswerable_off_topic' && { kind: 'hotline', targets: HOTLINES });
  const box = handover && handoverBox(handover, fresh, a.handover && onPerson);
  const open = ['answered_article', 'answered_law', 'answered_repealed'].includes(a.outcome), checking = a.outcome === 'clarify_legal_aid';
  const section = (name, title, ...kids) => h('section', { class: name }, h('h3', null, title), kids);
  return h('div', { class: `answer is-${group}` },
    !urgent && (kind || a.topic) && h('p', { class: 'kind' }, kind && h('span', { class: 'tag' }, kind), a.topic && h('span', null, a.topic)),
    urgent && box,
    a.caution && h('p', { class: 'caution' }, a.caution.split(/(\d{3,})/).map((said, i) => i % 2 ? h('a', { href: `tel:${said}` }, said) : said)),
    written(a) && byModel(a, a.model.label),
    h('div', { class: 'summary' }, prose(words(a), ['answered_faq', 'answered_legal_aid'].includes(a.outcome), a.clarify || [])),
    a.clarify?.length && chips(a.clarify, onAsk, checking ? 'chips flow' : 'chips'),
    checking && h('p', { class: 'row flow' }, ['上一步', '退出'].map((text) => h('button', { type: 'button', class: 'plain', onclick: () => onAsk(text) }, text))),
    checking && preCheckLink(base, '改用一题一屏的预检页'),
    a.outcome === 'answered_legal_aid' && a.steps?.length && preCheckLink(base, '到预检页再做一遍，可以打印'),
    a.notices?.length && section('notices', '请特别留意', written(a, 'notices') && byModel(a, READ_BY_MODEL), h('ul', null, a.notices.map((n) => h('li', null, n)))),
    !urgent && box,
    a.steps?.length && section('steps', '下一步可以做', h('ul', null,
      a.steps.map((s, i) => h('li', null, step(s, { open: i === 0 && a.outcome === 'answered_service', fresh, base }))))),
    a.citations?.length && section('cites', '法律依据', a.citations.map((c, i) => citation(c, open && i === 0))),
    h('div', { class: 'foot' },
      h('button', { type: 'button', class: 'plain', onclick: (e) => copy(answerText(a), e.currentTarget) }, '复制回答'),
      h('button', { type: 'button', class: 'plain', onclick: () => print() }, '打印'),
      source(a.id && `编号 ${a.id}`, a.versions?.knowledge && `资料版本 ${a.versions.knowledge}`)),
    rating && rating());
}

/** The same answer as plain text, for the clipboard. */
export function answerText(a) {
  const target = (t) => [t.title, t.phone, t.where, t.hours, t.note].filter(Boolean).join('，');
  return [`问：${a.question}`, a.caution, a.summary, ...(a.notices || []).map((n) => `请留意：${n}`), written(a, 'notices') && READ_BY_MODEL, ...(a.handover?.targets || []).map(target),
    ...(a.steps || []).map((s) => `【${s.title}】\n${[s.how, s.where && `地点：${s.where}`, s.phone && `电话：${s.phone}`,
      s.hours && `时间：${s.hours}`, s.fee && `费用：${s.fee}`, s.deadline && `期限：${s.deadline}`].filter(Boolean).join('\n')}`),
    ...(a.citations || []).map((c) => `《${c.law}》${c.article}${c.in_force === false ? '（已失效）' : ''}\n${c.text}`), NOTE]
    .filter(Boolean).join('\n\n');
}
