// What the office has to say now: a banner over the page, asked for again while the page stays open. Each is read out once, and
// one that was closed stays closed in this tab until its words change.
import { call } from './api.js';
import { h, moment, stored } from './dom.js';

const CLOSED = 'consult.notices', AGAIN_MS = 300000;

/** Shows the notices of `place` in `box`, a live region; nothing is said twice. Returns what ends it. */
export function showNotices(box, { base = '', place = 'web' } = {}) {
  const shown = new Map();
  const close = (id) => {
    stored('sessionStorage', CLOSED, [...(stored('sessionStorage', CLOSED) || []), id].slice(-50));
    shown.get(id)?.remove();
    shown.delete(id);
  };
  const line = (n) => h('div', { class: `banner ${n.level}` }, h('p', null, h('b', null, `${n.label}：`), n.text, ' ', h('small', null, `（到 ${moment(n.ends_at)}）`)),
    h('button', { type: 'button', class: 'plain', onclick: () => close(n.id) }, '知道了', h('span', { class: 'sr' }, `，不再显示：${n.text.slice(0, 20)}`)));
  const look = () => document.hidden || call(`/notices?place=${place}`, { base }).then(({ notices }) => {
    const closed = stored('sessionStorage', CLOSED) || [], valid = notices.filter((n) => !closed.includes(n.id));
    for (const [id, el] of shown) if (!valid.some((n) => n.id === id)) { el.remove(); shown.delete(id); }
    for (const n of valid) if (!shown.has(n.id)) { shown.set(n.id, line(n)); box.append(shown.get(n.id)); }
  }).catch(() => {}); // a notice is a help, not a need
  look();
  const timer = setInterval(look, AGAIN_MS);
  return () => clearInterval(timer);
}
