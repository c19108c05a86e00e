// The citizen page, and the page in a frame of another site: `/embed?site=…`.
import { converse } from './conversation.js';
import { h } from './dom.js';
import { speakAs } from './languages.js';

const title = document.title, wanted = new URLSearchParams(location.search), embedded = location.pathname === '/embed';
const $ = (id) => document.getElementById(id);

const hotlines = $('lines').cloneNode(true);
hotlines.removeAttribute('id');
$('welcome-lines').append(h('h3', null, '常用热线'), hotlines); // phone: in the greeting; wide: in the side panel
if (embedded) {
  document.documentElement.classList.add('embedded');
  for (const link of document.querySelectorAll('a[href="/legal-aid"]')) link.target = '_blank'; // only this page may stand in a frame
}
await speakAs(wanted.get('lang'), document.documentElement);

const { person } = await converse({
  site: (embedded && wanted.get('site')) || 'home',
  onNews: () => { if (document.hidden) document.title = `（新消息）${title}`; },
});
document.addEventListener('visibilitychange', () => { if (!document.hidden) document.title = title; });
if (location.hash === '#person') { // from the pre-check
  history.replaceState(null, '', location.pathname + location.search);
  person();
}
