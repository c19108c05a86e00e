// Shows an answer as citizens see it, with the citizens' own script: what the page holds, or what the editor around it sends.
import { renderAnswer } from '/static/cards.js';

const place = document.getElementById('shown'), heading = place.querySelector('h1'), empty = place.querySelector('.empty');
const el = (name, className, ...kids) => { const made = document.createElement(name); made.className = className; made.append(...kids); return made; };

function show({ answer, wechat }, channel) {
  place.dataset.as = channel;
  if (!answer) { place.replaceChildren(heading, empty); return; }
  const asked = el('h2', '', answer.question);
  const said = channel === 'wechat'
    ? wechat.map((text) => el('p', 'bubble', text))
    : [el('div', 'reply', renderAnswer(answer))];
  place.replaceChildren(heading, el('article', 'turn', asked, ...said));
}

show(JSON.parse(document.getElementById('data').textContent), place.dataset.as);
window.addEventListener('message', (event) => {
  if (event.origin === location.origin && event.source === window.parent) show(event.data, event.data.channel);
});
