// The page of one answer, opened from a message in WeChat. The token stands in the fragment, which is sent to nobody.
import { call } from './api.js';
import { renderAnswer } from './cards.js';
import { h } from './dom.js';
import { ratingLine } from './rating.js';

const UNFINISHED = /^clarify_|^answered_smalltalk$/; // asking back, or a greeting: nothing to rate yet
const $ = (id) => document.getElementById(id);
const announce = (text) => { $('live').textContent = text; };

async function open() {
  const token = location.hash.slice(1);
  try {
    const answer = await call('/answers/mine', { method: 'POST', body: { token } });
    $('question').textContent = answer.question;
    const { clarify, ...shown } = answer; // choices are made in WeChat, where the conversation is
    $('reply').replaceChildren(renderAnswer(shown, {
      rating: !UNFINISHED.test(answer.outcome) && (() => ratingLine(answer.rating_token, { announce })),
    }));
    if (clarify?.length) $('reply').append(h('p', { class: 'source' }, '想继续问，请回到微信里回复。'));
  } catch (error) {
    $('reply').replaceChildren(h('div', { class: 'fail', role: 'alert' }, h('p', null, error.message)));
  }
}
addEventListener('hashchange', open);
open();
