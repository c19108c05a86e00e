// The interface in traditional characters or English. Answers stay as they are: they quote the law.
import { speak } from './dom.js';

const KNOWN = /^(?:zh-(?:hant|hk|tw|mo)|en)\b/i;
const CHROME = ['aria-label', 'placeholder'];

/** 'hant', 'en', or null for what is written here. */
export const languageOf = (lang) => {
  const [found] = KNOWN.exec(lang || '') || [];
  return found ? (/^en/i.test(found) ? 'en' : 'hant') : null;
};

/** From now on the interface speaks `lang`; what stands in `root` already is put into it. The table is fetched when it is needed. */
export async function speakAs(lang, root) {
  const language = languageOf(lang);
  if (!language) return;
  const { lookupIn } = await import('./texts.js');
  const lookup = lookupIn(language);
  speak(lookup);
  translate(root, lookup);
  if (root.lang !== undefined) root.lang = language === 'en' ? 'en' : 'zh-Hant';
}

function translate(root, lookup) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  for (let node = walker.currentNode; node; node = walker.nextNode()) {
    if (node.nodeType === Node.TEXT_NODE) {
      const text = node.data.trim();
      if (text) node.data = node.data.replace(text, () => lookup(text));
    } else for (const name of CHROME) if (node.hasAttribute?.(name)) node.setAttribute(name, lookup(node.getAttribute(name)));
  }
}
