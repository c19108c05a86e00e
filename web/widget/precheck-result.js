// The result of the pre-check as a page and, printed, as one or two sheets for the counter.
import { citation, facts } from './cards.js';
import { h, source } from './dom.js';

const FIRST = ['urgent', 'where', 'papers', 'missing', 'reasons', 'deadlines']; // the rest is folded on a screen
const LATER = ['after', 'remedies', 'helps', 'unknowns'];

/** `r` is the JSON of a result; `bring` the numbers of the papers ticked so far. */
export function renderResult(r, { rules, tools, bring, onBring }) {
  const articles = Object.fromEntries(r.citations.map((c) => [c.cite, c])), shown = new Set();

  const basis = (x) => [
    x.cites.length > 0 && h('details', { class: 'basis' }, h('summary', null, `依据：${x.cites.join('、')}`), x.cites.map((c) => articles[c] && citation(articles[c], true))),
    x.source && source(`出处：${x.source}`),
  ];
  const place = (x, urgent) => { // a card with address and number, once
    const card = r.cards[x.card];
    if (!card || shown.has(x.card)) return null;
    shown.add(x.card);
    return h('div', { class: 'card' }, h('h4', null, card.title), facts(urgent ? { phone: card.phone } : { ...card, fee: null, deadline: null }),
      source(card.source && `来源：${card.source}`, card.checked_on && `核对于 ${card.checked_on}`));
  };
  const item = (x, name) => h('li', null, h('p', null, x.text), basis(x), place(x, name === 'urgent'));
  const paper = (x, i) => {
    const input = h('input', { type: 'checkbox', checked: bring.includes(i), onchange: () => { bring = input.checked ? [...bring, i] : bring.filter((n) => n !== i); onBring(bring); } });
    return h('li', null, h('label', { class: 'pick' }, input, h('span', null, x.text)), basis(x), place(x));
  };
  const list = (name) => h(name === 'papers' ? 'ul' : 'ol', { class: name }, r[name].map((x, i) => (name === 'papers' ? paper(x, i) : item(x, name))));
  const part = (name) => r[name].length > 0 && h('section', { class: `part is-${name}` }, h(name === 'urgent' ? 'h2' : 'h3', null, r.headings[name]), list(name));
  const folded = (name) => r[name].length > 0 && h('details', { class: `part fold is-${name}` }, h('summary', null, h('h3', null, r.headings[name])), list(name));

  return [
    part('urgent'),
    h('section', { class: `verdict is-${r.verdict}` }, h('p', { class: 'kind' }, '预检结果'), h('h2', { id: 'verdict', tabindex: '-1' }, r.label), h('p', null, r.lead),
      h('p', { class: 'not-decision' }, r.disclaimer)),
    h('div', { class: 'row tools' }, tools.slice(0, 3)),
    FIRST.slice(1).map(part), LATER.map(folded),
    h('details', { class: 'part fold is-answers' }, h('summary', null, h('h3', null, '您的回答')),
      h('dl', null, r.answers.map((a) => h('div', null, h('dt', null, a.question), h('dd', null, a.chosen.join('；')))))),
    h('div', { class: 'row tools' }, tools.slice(3)),
    rules, h('p', { class: 'source' }, `预检日期 ${r.as_of}`),
  ];
}
