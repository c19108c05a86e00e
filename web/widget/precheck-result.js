// The result of the pre-check as a page and, printed, as one or two sheets for the counter.
import { citation, facts } from './cards.js';
import { h, lines, source } from './dom.js';

const LATER = ['after', 'remedies', 'helps', 'unknowns']; // folded on a screen

/** `r` is the JSON of a result; `bring` the papers ticked so far. */
export function renderResult(r, { rules, tools, bring, onBring }) {
  const articles = Object.fromEntries(r.citations.map((c) => [c.cite, c])), shown = new Set();

  const basis = (x) => [
    x.cites.length > 0 && h('details', { class: 'basis' }, h('summary', null, `依据：${x.cites.join('、')}`), x.cites.map((c) => articles[c] && citation(articles[c], true))),
    x.source && h('p', { class: 'source basis' }, `出处：${x.source}`),
  ];
  const place = (x, urgent) => { // a card with address and number, once
    const card = r.cards[x.card];
    if (!card || shown.has(x.card)) return null;
    shown.add(x.card);
    return h('div', { class: 'card' }, h(urgent ? 'h3' : 'h4', null, card.title), facts(urgent ? { phone: card.phone } : card),
      !urgent && h('details', { class: 'how' }, h('summary', null, '怎么办'), lines(card.how).map((line) => h('p', null, line))),
      source(card.source && `来源：${card.source}`, card.checked_on && `核对于 ${card.checked_on}`));
  };
  const onPaper = (x) => { // what the folded basis says, in short
    const rests = [x.cites.join('、'), x.source].filter(Boolean).join('；');
    return rests && h('span', { class: 'on-paper' }, `（${rests}）`);
  };
  const item = (x, name) => h('li', null, h('p', null, x.text, onPaper(x)), basis(x), place(x, name === 'urgent'));
  const paper = (x) => {
    const input = h('input', { type: 'checkbox', checked: bring.includes(x.text), onchange: () => { bring = input.checked ? [...bring, x.text] : bring.filter((t) => t !== x.text); onBring(bring); } });
    return h('li', null, h('label', { class: 'pick' }, input, h('span', null, x.text, onPaper(x))), basis(x), place(x));
  };
  const list = (name) => h(name === 'papers' ? 'ul' : 'ol', null, r[name].map((x) => (name === 'papers' ? paper(x) : item(x, name))));
  const part = (name) => r[name].length > 0 && h('section', { class: `part is-${name}` }, h(name === 'urgent' ? 'h2' : 'h3', null, r.headings[name]), list(name));
  const folded = (name) => r[name].length > 0 && h('details', { class: `part fold is-${name}` }, h('summary', null, h('h3', null, r.headings[name])), list(name));

  return [
    part('urgent'),
    h('section', { class: `verdict is-${r.verdict}` }, h('p', { class: 'kind' }, '预检结果'), h('h2', { id: 'verdict', tabindex: '-1' }, r.label), h('p', null, r.lead),
      h('p', { class: 'not-decision' }, r.disclaimer)),
    h('div', { class: 'row do' }, tools.slice(0, 3)),
    Object.keys(r.headings).filter((name) => name !== 'urgent').map((name) => (LATER.includes(name) ? folded(name) : part(name))),
    h('details', { class: 'part fold is-answers' }, h('summary', null, h('h3', null, '您的回答')),
      h('dl', null, r.answers.map((a) => h('div', null, h('dt', null, a.question), h('dd', null, a.chosen.join('；')))))),
    h('div', { class: 'row do' }, tools.slice(3)),
    rules, h('p', { class: 'source' }, `预检日期 ${r.as_of}`),
  ];
}
