// <legal-assistant server site lang>: the button that opens the assistant on any site. This file is all that loads with the page; what
// is inside the panel comes when somebody opens it. No dependency, no HTML from strings, works under a strict policy.

const HERE = new URL('.', import.meta.url).href.replace(/\/(?:static\/)?$/, '');
const TEXTS = {
  zh: ['法律咨询', '打开公共法律咨询助手', '关闭公共法律咨询助手', '没能打开，请检查网络后再点一次；着急请拨打 12348。'],
  hant: ['法律諮詢', '打開公共法律諮詢助手', '關閉公共法律諮詢助手', '沒能打開，請檢查網絡後再點一次；著急請撥打 12348。'],
  en: ['Legal help', 'Open the public legal assistant', 'Close the public legal assistant', 'Could not open. Check the network and try again, or call 12348.'],
};
const SCALES = 'M16 5v21M10 26h12M7 9h18M7 9l-4 9h8zM25 9l-4 9h8z';
const CSS = `
:host { all: initial; display: block; }
:host([hidden]) { display: none; }
.launch, .broken { font: 500 17px/1.4 system-ui, -apple-system, "PingFang SC", "HarmonyOS Sans SC", "Microsoft YaHei", sans-serif; }
.launch { position: fixed; z-index: 2147483000; right: max(16px, env(safe-area-inset-right)); bottom: max(16px, env(safe-area-inset-bottom)); display: flex; align-items: center; gap: 8px; min-height: 56px; padding: 8px 20px; border: 2px solid #fff; border-radius: 28px; background: #174a84; color: #fff; box-shadow: 0 2px 12px rgb(0 0 0 / .3); cursor: pointer; touch-action: manipulation; }
.launch:hover { background: #1d5ba1; }
.launch:focus-visible { outline: 3px solid #b45309; outline-offset: 3px; }
.launch[aria-expanded="true"] { display: none; }
.launch[aria-busy="true"] { cursor: progress; opacity: .85; }
.launch svg { width: 26px; height: 26px; flex: none; }
.badge { min-width: 12px; height: 12px; border-radius: 6px; background: #ffc46b; }
.badge[hidden] { display: none; }
.broken { position: fixed; z-index: 2147483000; right: 16px; bottom: 84px; max-width: min(320px, calc(100vw - 32px)); margin: 0; padding: 12px 16px; border: 2px solid #b3201a; border-radius: 10px; background: #fff; color: #8e1a15; box-sizing: border-box; }
.broken:empty { display: none; }
@media (forced-colors: active) { .launch { border-color: ButtonText; } }
@media print { .launch, .broken { display: none; } }
`;
const ON_PAPER = 'body :not(:has(legal-assistant)):not(legal-assistant) { display: none !important; }';
const sheetOf = (text) => { const sheet = new CSSStyleSheet(); sheet.replaceSync(text); return sheet; };

function make(tag, attributes, ...kids) {
  const el = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) el.setAttribute(name, value);
  el.append(...kids);
  return el;
}

function logo() {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg'), path = document.createElementNS(svg.namespaceURI, 'path');
  for (const [name, value] of Object.entries({ viewBox: '0 0 32 32', 'aria-hidden': 'true', focusable: 'false' })) svg.setAttribute(name, value);
  for (const [name, value] of Object.entries({ d: SCALES, fill: 'none', stroke: 'currentColor', 'stroke-width': '2', 'stroke-linejoin': 'round', 'stroke-linecap': 'round' })) path.setAttribute(name, value);
  svg.append(path);
  return svg;
}

/** Events: legal-assistant:open, :close, :message (staff wrote). Methods: open(), close(), ask(question). */
class LegalAssistant extends HTMLElement {
  #panel = null; #opening = null;

  get server() { return (this.getAttribute('server') || HERE).replace(/\/+$/, ''); }

  get texts() {
    const lang = this.getAttribute('lang') || '';
    return TEXTS[/^en\b/i.test(lang) ? 'en' : /^zh-(?:hant|hk|tw|mo)\b/i.test(lang) ? 'hant' : 'zh'];
  }

  connectedCallback() {
    if (this.shadowRoot) return;
    const [label, open] = this.texts, root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [sheetOf(CSS)];
    this.badge = make('span', { class: 'badge', hidden: '' });
    this.button = make('button', { type: 'button', class: 'launch', 'aria-expanded': 'false', 'aria-label': open }, logo(), make('span', {}, label), this.badge);
    this.problem = make('p', { class: 'broken', role: 'alert' });
    root.append(this.button, this.problem);
    this.button.addEventListener('click', () => this.open());
    for (const name of ['pointerenter', 'focus']) this.button.addEventListener(name, () => { this.#load().catch(() => {}); }, { once: true });
  }

  disconnectedCallback() {
    queueMicrotask(() => { if (!this.isConnected) { this.#panel?.stop(); this.#panel = this.#opening = null; this.shadowRoot?.querySelector('.panel')?.remove(); this.button?.setAttribute('aria-expanded', 'false'); } });
  }

  /** What the panel needs, once. */
  #load() {
    this.#opening ||= Promise.all([
      import(`${this.server}/static/panel.js`),
      fetch(`${this.server}/widget.css`).then((res) => { if (!res.ok) throw new Error(res.status); return res.text(); }),
    ]).catch((error) => { this.#opening = null; throw error; });
    return this.#opening;
  }

  async open() {
    this.problem.textContent = '';
    this.button.setAttribute('aria-busy', 'true');
    try {
      const [{ buildPanel }, css] = await this.#load();
      if (!this.#panel) {
        this.shadowRoot.adoptedStyleSheets = [...this.shadowRoot.adoptedStyleSheets.slice(0, 1), sheetOf(css)];
        this.#panel = await buildPanel(this, { server: this.server, site: this.getAttribute('site') || 'home', lang: this.getAttribute('lang'), label: this.texts[2], onClose: () => this.close(), onNews: () => this.#news(), print: () => this.#print() });
      }
      this.#panel.show();
      this.badge.hidden = true;
      this.button.setAttribute('aria-expanded', 'true');
      this.dispatchEvent(new CustomEvent('legal-assistant:open', { bubbles: true }));
    } catch (error) {
      console.error('legal-assistant:', error);
      [, , , this.problem.textContent] = this.texts;
    } finally { this.button.removeAttribute('aria-busy'); }
  }

  close() {
    if (!this.#panel?.hide()) return;
    this.button.setAttribute('aria-expanded', 'false');
    this.button.focus();
    this.dispatchEvent(new CustomEvent('legal-assistant:close', { bubbles: true }));
  }

  async ask(question) {
    await this.open();
    return this.#panel?.ask(question) ?? false;
  }

  #news() {
    if (this.button.getAttribute('aria-expanded') !== 'true') this.badge.hidden = false;
    this.dispatchEvent(new CustomEvent('legal-assistant:message', { bubbles: true }));
  }

  /** The panel alone on paper, and not the page around it. */
  #print() {
    const sheet = sheetOf(`@media print { ${ON_PAPER} }`);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    try { window.print(); } finally { document.adoptedStyleSheets = document.adoptedStyleSheets.filter((s) => s !== sheet); }
  }
}

if (!customElements.get('legal-assistant')) customElements.define('legal-assistant', LegalAssistant);
