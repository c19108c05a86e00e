// The service over HTTP: one question one answer, and plain JSON calls. Errors are ApiError, in Chinese.
import { stored } from './dom.js';

export const SAID = {
  stopped: '已停止。您的问题还在这里。', timeout: '等得太久，没有收到回答。请稍后重试。',
  offline: '网络已断开，没有发出去。连上网后请重试。', network: '没能连上服务，请检查网络后重试。',
  failed: '服务暂时出了问题，请稍后重试。',
  unproven: '没能确认您不是自动程序，问题没有发出去。请重试；着急可以拨打12348，有人身危险请立即拨打110，有人受伤拨打120。',
};

export class ApiError extends Error {
  constructor(code, message, status = 0) { super(message); this.code = code; this.status = status; }
}

const refused = (res, body) => Object.assign(new ApiError(body?.error?.code || 'failed', body?.error?.message || SAID.failed, res.status), { body });
const unsent = (code) => new ApiError(code, SAID[code]);

/** JSON in, JSON out. Throws ApiError. */
export async function call(path, { base = '', method = 'GET', body, waitMs = 20000 } = {}) {
  const ctl = new AbortController(), timer = setTimeout(() => ctl.abort(), waitMs);
  try {
    const res = await fetch(`${base}/api/v1${path}`, {
      method, cache: 'no-store', signal: ctl.signal, body: body && JSON.stringify(body),
      headers: { Accept: 'application/json', ...(body && { 'Content-Type': 'application/json' }) },
    });
    const json = await res.json().catch(() => null);
    if (!res.ok || !json) throw refused(res, json);
    return json;
  } catch (e) {
    if (e instanceof ApiError) throw e;
    throw unsent(ctl.signal.aborted ? 'timeout' : navigator.onLine === false ? 'offline' : 'network');
  } finally { clearTimeout(timer); }
}

/** Server-sent events of a fetch Response; chunks may be cut anywhere, lines end in LF, CRLF or CR. */
export async function* readEvents(response, onChunk = () => {}) {
  const reader = response.body.getReader(), decoder = new TextDecoder();
  let buf = '', event = '', data = [];
  try {
    for (let done = false; !done;) {
      const part = await reader.read();
      done = part.done;
      onChunk();
      buf += done ? decoder.decode() + '\n\n' : decoder.decode(part.value, { stream: true });
      for (let m; (m = /\r\n|\n|\r(?=[^])/.exec(buf));) { // a CR at the very end waits: LF may follow
        const line = buf.slice(0, m.index);
        buf = buf.slice(m.index + m[0].length);
        const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line);
        if (field === 'event') event = value;
        else if (field === 'data') data.push(value);
        else if (!line) {
          if (data.join('')) yield { event: event || 'message', data: data.join('\n') };
          event = ''; data = [];
        }
      }
    }
  } finally { reader.cancel().catch(() => {}); }
}

/** A key under which a question may be sent again and again and is still asked once. */
export const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((n) => n.toString(16).padStart(2, '0')).join('');

const SESSION = 'consult.web-session', PAUSES = [500, 1500, 4000, 8000], BACK_MS = 60000, PUZZLES = 2;
const tokens = {}; // where storage is forbidden, a session lasts as long as the page
const tokenOf = (at) => tokens[at] || stored('sessionStorage', SESSION)?.[at];
const keepToken = (at, token) => { tokens[at] = token; stored('sessionStorage', SESSION, token ? { [at]: token } : null); };

async function sessionFor(at, base, site) {
  if (!tokenOf(at)) keepToken(at, (await call('/web-sessions', { base, method: 'POST', body: { site } })).session);
  return tokenOf(at);
}

/** Resolves when the network is back, or has had its time. */
const back = (pause, signal) => new Promise((done) => {
  const off = navigator.onLine === false, timer = setTimeout(end, off ? BACK_MS : pause);
  function end() { clearTimeout(timer); removeEventListener('online', end); signal.removeEventListener('abort', end); done(); }
  if (off) addEventListener('online', end);
  signal.addEventListener('abort', end);
});

/** The solution of a puzzle of the server. What goes wrong with it goes wrong here: nothing has been asked. */
async function prove(challenge, signal) {
  const stopped = new Promise((_, no) => { signal.addEventListener('abort', () => no(unsent('stopped'))); });
  try {
    return await Promise.race([import('./proof.js').then(({ solve }) => solve(challenge, signal)), stopped]);
  } catch { throw unsent(navigator.onLine === false ? 'offline' : 'unproven'); }
}

/**
 * One question, one answer. onEvent(name, data) hears the progress. Where the connection breaks it is asked again under its `key`, which
 * gets the answer that was being made: nothing is asked twice. The session is renewed, and a puzzle solved, without anybody noticing.
 * Throws ApiError.
 */
export async function ask(question, o = {}) {
  const { base = '', site = 'home', key = newKey(), conversation = null, region = null, asOf = null, consent, signal, onEvent = () => {}, idleMs = 45000, stream = true } = o;
  const ctl = new AbortController(), at = `${base} ${site}`, stop = () => ctl.abort();
  let timer, late = false, broken = 0, proof = '', renewals = 0, puzzles = 0;
  const touch = () => { clearTimeout(timer); timer = setTimeout(() => { late = true; ctl.abort(); }, idleMs); };
  const once = async () => {
    const session = await sessionFor(at, base, site);
    touch();
    const res = await fetch(`${base}/api/v1/questions`, {
      method: 'POST', cache: 'no-store', signal: ctl.signal, body: JSON.stringify({ question, conversation, region, as_of: asOf, consent }),
      headers: { 'Content-Type': 'application/json', Accept: stream ? 'text/event-stream' : 'application/json', 'Idempotency-Key': key, 'X-Consult-Session': session, ...(proof && { 'X-Consult-Proof': proof }) },
    });
    if (res.headers.get('X-Consult-Session')) keepToken(at, res.headers.get('X-Consult-Session'));
    if (res.ok && res.body && /event-stream/.test(res.headers.get('Content-Type') || '')) {
      for await (const { event, data } of readEvents(res, touch)) {
        if (!/^(status|sentence|answer|error)$/.test(event)) continue;
        const value = JSON.parse(data);
        if (event === 'answer') return value;
        if (event === 'error') throw new ApiError(value.code || 'failed', value.message || SAID.failed, 500);
        onEvent(event, value);
      }
      throw new TypeError('cut'); // before its answer
    }
    const body = await res.json().catch(() => null);
    if (!res.ok || !body?.outcome) throw refused(res, body);
    return body;
  };
  signal?.addEventListener('abort', stop);
  try {
    for (;;) {
      try { return await once(); } catch (e) {
        clearTimeout(timer);
        if (ctl.signal.aborted) throw e;
        if (e.status === 401 && renewals++ < 1) { keepToken(at, null); continue; }
        if (e.status === 428) {
          if (puzzles++ >= PUZZLES) throw unsent('unproven');
          onEvent('status', { stage: 'checking' });
          proof = await prove(e.body?.error?.challenge, ctl.signal);
          continue;
        }
        if ((e instanceof ApiError && !/^(network|offline)$/.test(e.code)) || broken >= PAUSES.length) throw e;
        onEvent('status', { stage: 'reconnecting' });
        await back(PAUSES[broken++], ctl.signal);
        if (ctl.signal.aborted || navigator.onLine === false) throw e;
      }
    }
  } catch (e) {
    if (e instanceof ApiError && !ctl.signal.aborted) throw e;
    throw unsent(signal?.aborted ? 'stopped' : late ? 'timeout' : navigator.onLine === false ? 'offline' : 'network');
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}
