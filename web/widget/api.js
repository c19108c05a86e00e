// The service over HTTP: one question one answer, and plain JSON calls. Errors are ApiError, in Chinese.

export const SAID = {
  stopped: '已停止。您的问题还在这里。', timeout: '等得太久，没有收到回答。请稍后重试。',
  offline: '网络已断开，没有发出去。连上网后请重试。', network: '没能连上服务，请检查网络后重试。',
  failed: '服务暂时出了问题，请稍后重试。',
};

export class ApiError extends Error {
  constructor(code, message, status = 0) { super(message); this.code = code; this.status = status; }
}

const refused = (res, body) => new ApiError(body?.error?.code || 'failed', body?.error?.message || SAID.failed, res.status);
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

/** One question, one answer. onEvent(name, data) hears the progress; `stream: false` asks once and never again, for words that
 *  must not arrive twice. Throws ApiError. */
export async function ask(question, o = {}) {
  const { base = '', conversation = null, region = null, asOf = null, signal, onEvent = () => {}, idleMs = 45000, stream = true } = o;
  const ctl = new AbortController();
  let timer, late = false;
  const touch = () => { clearTimeout(timer); timer = setTimeout(() => { late = true; ctl.abort(); }, idleMs); };
  const stop = () => ctl.abort();
  const post = (accept) => {
    touch();
    return fetch(`${base}/api/v1/questions`, {
      method: 'POST', cache: 'no-store', signal: ctl.signal,
      headers: { 'Content-Type': 'application/json', Accept: accept },
      body: JSON.stringify({ question, conversation, region, as_of: asOf }),
    });
  };
  signal?.addEventListener('abort', stop);
  try {
    let res = await post(stream ? 'text/event-stream' : 'application/json');
    if (res.ok && res.body && /event-stream/.test(res.headers.get('Content-Type') || '')) {
      try {
        for await (const { event, data } of readEvents(res, touch)) {
          if (!/^(status|sentence|answer|error)$/.test(event)) continue;
          const value = JSON.parse(data);
          if (event === 'answer') return value;
          if (event === 'error') throw new ApiError(value.code || 'failed', value.message || SAID.failed, 500);
          onEvent(event, value);
        }
      } catch (e) { if (e instanceof ApiError || ctl.signal.aborted) throw e; }
      res = await post('application/json'); // the stream was cut before its answer: once more, without streaming
    }
    const body = await res.json().catch(() => null);
    if (!res.ok || !body?.outcome) throw refused(res, body);
    return body;
  } catch (e) {
    if (e instanceof ApiError) throw e;
    throw unsent(signal?.aborted ? 'stopped' : late ? 'timeout' : navigator.onLine === false ? 'offline' : 'network');
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}
