// Urgent answers: new ones appear by themselves, unless somebody is writing.
import { api } from '/console/static/console.js';
import { listen, showState } from '/console/static/live.js';

const $ = (id) => document.getElementById(id), title = document.title, page = $('urgent');
let total = Number(page.dataset.total);

function ago(iso) {
  const minutes = Math.max(0, Math.floor((Date.now() - new Date(iso)) / 60000));
  return minutes < 1 ? '刚刚' : minutes < 60 ? `${minutes}分钟前` : minutes < 1440 ? `${Math.floor(minutes / 60)}小时前` : `${Math.floor(minutes / 1440)}天前`;
}
function tick() { for (const el of document.querySelectorAll('[data-ago]')) el.textContent = ago(el.dateTime); }
tick();
setInterval(tick, 30000);

const notes = [...document.querySelectorAll('[data-draft]')], key = (el) => `urgent.note.${el.dataset.draft}`;
for (const el of notes) {
  el.value = sessionStorage.getItem(key(el)) || '';
  el.addEventListener('input', () => (el.value ? sessionStorage.setItem(key(el), el.value) : sessionStorage.removeItem(key(el))));
  el.form.addEventListener('sent', () => sessionStorage.removeItem(key(el)));
}
$('refresh').onclick = () => location.reload();

function told(now) {
  document.title = now ? `(${now}) ${title}` : title;
  if (now === total) return;
  total = now;
  const busy = notes.some((el) => el.value || el === document.activeElement) || new URLSearchParams(location.search).get('before');
  if (busy) $('more').hidden = false; else location.reload();
}
document.title = total ? `(${total}) ${title}` : title;

if ('Notification' in window && Notification.permission === 'default') $('notify').hidden = false;
$('notify').onclick = async () => { $('notify').hidden = await Notification.requestPermission() !== 'default'; };

listen({
  on: { urgent: (data) => {
    if (data.new.length && document.hidden && 'Notification' in window && Notification.permission === 'granted') new Notification('普陀法律咨询后台', { body: '有新的紧急情况。', tag: 'urgent' });
    told(data.total);
  } },
  poll: async () => told((await api('GET', '/api/v1/staff/urgent?limit=1')).total),
  state: (state) => showState($('live'), state),
});
