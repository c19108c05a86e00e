// Checks the whole log on demand, and says what came of it.
import { api, ApiError } from '/console/static/console.js';

const form = document.getElementById('verify'), said = document.getElementById('verified');

function note(tone, text, items = []) {
  const box = document.createElement('div'), words = document.createElement('p');
  box.className = `note ${tone}`;
  words.textContent = text;
  box.append(words);
  if (items.length) {
    const list = document.createElement('ul');
    for (const item of items) { const li = document.createElement('li'); li.textContent = item; list.append(li); }
    box.append(list);
  }
  said.replaceChildren(box);
}

form?.addEventListener('submit', async (event) => {
  event.preventDefault();
  const wanted = new URLSearchParams();
  for (const name of ['count', 'hash']) if (form.elements[name].value.trim()) wanted.set(name, form.elements[name].value.trim());
  const button = form.querySelector('button');
  if (button.getAttribute('aria-busy') === 'true') return;
  button.setAttribute('aria-busy', 'true');
  note('', '正在逐条核验……');
  try {
    const found = await api('GET', `/api/v1/staff/audit/verify?${wanted}`);
    if (found.whole) note('good', `已核验全部${found.count}条：没有发现改动、删除、插入或调换${wanted.size ? '，与留存的校验值相符' : ''}。`);
    else note('bad', '发现问题，请保留数据库现状，报告技术负责人：', found.problems);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    note('bad', error.message);
  } finally { button.removeAttribute('aria-busy'); }
});
