// What happens at the desk, as it happens: server-sent events, and asking every ten seconds while those are cut.
import { ApiError } from '/console/static/console.js';

const EVENTS = '/api/v1/staff/desk/events';
const ASK_MS = 10000, AGAIN_MS = 30000;
const STATES = {
  live: ['实时更新中', 'good'], cut: ['实时更新已断开，改为每10秒查询一次', 'warn'],
  out: ['登录已过期，请重新登录', 'bad'], lost: ['连不上服务，正在重试', 'bad'],
};

/** The state in words and colour. */
export function showState(el, state) {
  const [text, tone] = STATES[state];
  if (el.textContent === text) return;
  el.textContent = text;
  el.className = `badge ${tone}`;
}

/** `on` has a function for each event; `poll()` reads everything anew, when events were missed or are cut. */
export function listen({ on, poll, state }) {
  let source, asking, again, over = false, opened = false;

  async function ask() {
    clearTimeout(asking);
    if (over) return;
    try { await poll(); if (source?.readyState !== EventSource.OPEN) state('cut'); } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 401) { end(); return; }
      state('lost');
    }
    if (source?.readyState !== EventSource.OPEN) asking = setTimeout(ask, ASK_MS);
  }
  function end() { over = true; clearTimeout(asking); clearTimeout(again); source?.close(); state('out'); }
  function connect() {
    clearTimeout(again);
    if (over) return;
    source = new EventSource(EVENTS);
    source.onopen = () => { clearTimeout(asking); state('live'); if (opened) poll().catch(() => {}); opened = true; };
    source.onerror = () => {
      if (over) return;
      state('cut');
      clearTimeout(asking);
      asking = setTimeout(ask, 1000);
      if (source.readyState === EventSource.CLOSED) again = setTimeout(connect, AGAIN_MS); // refused: the browser does not come back by itself
    };
    for (const [name, act] of Object.entries(on)) source.addEventListener(name, (event) => act(JSON.parse(event.data)));
    source.addEventListener('end', end);
  }
  connect();
  window.addEventListener('pagehide', () => source?.close());
  window.addEventListener('pageshow', (event) => { if (event.persisted) connect(); });
}
