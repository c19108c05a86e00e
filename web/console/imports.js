// The page that takes files: drop one, or choose it; and the page that shows what was read of one.
import { say } from '/console/static/console.js';

const drop = document.querySelector('.drop');
if (drop) {
  const field = drop.querySelector('input[type=file]'), form = drop.closest('form');
  for (const name of ['dragenter', 'dragover']) drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add('over'); });
  for (const name of ['dragleave', 'drop']) drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.remove('over'); });
  drop.addEventListener('drop', (event) => {
    const files = event.dataTransfer.files;
    if (files.length > 1) { say('一次一个文件，先处理第一个。'); }
    if (files.length) { const one = new DataTransfer(); one.items.add(files[0]); field.files = one.files; form.requestSubmit(form.querySelector('button')); }
  });
  form.addEventListener('submit', () => say('正在读文件，大的要一两分钟……'));
}

// What is left out looks so; the fields that are wrong say so.
for (const box of document.querySelectorAll('input[name=left_out]')) {
  const show = () => box.closest('.passage, tr').classList.toggle('out', box.checked);
  box.addEventListener('change', show);
  show();
}
const saving = document.getElementById('saving');
saving?.addEventListener('refused', (event) => {
  const fields = event.detail.body?.error?.fields;
  if (!fields) return;
  event.preventDefault();
  const place = saving.querySelector('[role=alert]');
  place.textContent = [event.detail.message, ...Object.values(fields)].join('\n');
  place.hidden = false;
  for (const el of saving.elements) if (el.name) el.toggleAttribute('aria-invalid', el.name in fields);
  saving.elements[Object.keys(fields)[0]]?.focus();
});
document.querySelector('[data-form-choice]')?.addEventListener('change', (event) => {
  const url = new URL(location.href);
  url.searchParams.set('form', event.target.value);
  location.assign(url);
});
