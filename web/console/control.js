// The preview of a notice as it is written, and of what a number of days would delete before it can be saved.
import { api } from '/console/static/console.js';

const form = document.getElementById('notice');
if (form) {
  const $ = (id) => document.getElementById(id), moment = (v) => v.replace('T', ' ');
  const draw = () => {
    const { text, level, place, starts_at: from, ends_at: to } = form.elements, words = text.value.trim() || '（还没有写内容）';
    const name = level.selectedOptions[0].textContent, web = place.value !== 'wechat', wechat = place.value !== 'web';
    $('p-level').textContent = name;
    $('p-text').textContent = words;
    $('p-web').className = `banner ${level.value}`;
    $('p-wechat').textContent = `【${name}】${words}`;
    for (const id of ['p-where', 'p-web']) $(id).hidden = !web;
    for (const id of ['p-wechat-head', 'p-wechat']) $(id).hidden = !wechat;
    $('p-when').textContent = from.value && to.value ? `从 ${moment(from.value)} 到 ${moment(to.value)}` : '';
  };
  form.addEventListener('input', draw);
  draw();
}

for (const rule of document.querySelectorAll('form.retention')) {
  const { days, deletes } = rule.elements, shown = rule.querySelector('.shown'), save = rule.querySelector('.primary'), wrong = rule.querySelector('[role=alert]');
  const forget = () => { save.disabled = true; shown.hidden = true; };
  const look = async () => {
    forget();
    wrong.hidden = true;
    if (!days.reportValidity()) return;
    try {
      const seen = await api('GET', `${rule.dataset.preview}?days=${encodeURIComponent(days.value)}`);
      deletes.value = seen.n;
      shown.textContent = seen.n ? `将删除 ${seen.n.toLocaleString('zh-CN')} ${seen.unit}，最早的是 ${seen.oldest.slice(0, 10)}。删除后不能恢复。` : '现在没有会因此删除的数据。';
      shown.classList.toggle('bad', seen.n > 0);
      shown.hidden = false;
      save.disabled = false;
    } catch (error) { wrong.textContent = error.message; wrong.hidden = false; }
  };
  rule.querySelector('.look').addEventListener('click', look);
  days.addEventListener('input', forget);
  rule.addEventListener('refused', (event) => { if (event.detail.code === 'retention_preview') forget(); });
}
