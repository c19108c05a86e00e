// Pages about people: the link of an invitation, a password typed twice, the second factor.
import { say } from '/console/static/console.js';

const $ = (selector, within = document) => within.querySelector(selector);

// A password typed twice must be the same.
for (const again of document.querySelectorAll('[data-again]')) {
  const first = document.getElementById(again.dataset.again);
  const compare = () => again.setCustomValidity(again.value === first.value ? '' : '两次输入的密码不一样。');
  first.addEventListener('input', compare);
  again.addEventListener('input', compare);
}

function copy(text) {
  navigator.clipboard.writeText(text).then(() => say('已复制。'), () => say('没能复制，请选中后手工复制。'));
}

// An account was made, or a link sent again: it is shown here, and nowhere else ever.
document.addEventListener('sent', (event) => {
  if (!event.target.matches('[data-invites]')) return;
  event.preventDefault();
  const box = $('#invited'), link = $('#invited-link');
  $('[data-name]', box).textContent = event.detail.name;
  $('[data-login]', box).textContent = event.detail.login;
  link.value = new URL(event.detail.link, location.origin).href;
  event.target.reset();
  event.target.hidden = true;
  box.hidden = false;
  $('h2', box).focus();
  box.scrollIntoView({ block: 'start' });
});
document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-copy]');
  if (button) { const from = document.getElementById(button.dataset.copy); from.select(); copy(from.value); }
  if (event.target.closest('[data-copy-codes]')) copy([...document.querySelectorAll('.codes li')].map((li) => li.textContent).join('\n'));
});

$('#totp-begin')?.addEventListener('sent', (event) => {
  event.preventDefault();
  event.stopPropagation();
  const form = $('#totp-confirm');
  $('#totp-picture').src = event.detail.picture;
  $('#totp-secret').textContent = event.detail.secret.replace(/(.{4})(?=.)/g, '$1 ');
  event.target.hidden = true;
  form.hidden = false;
  $('h3', form).focus();
});
$('#totp-confirm')?.addEventListener('sent', (event) => {
  event.preventDefault();
  event.stopPropagation();
  const box = $('#totp-codes'), list = $('.codes', box);
  for (const code of event.detail.recovery_codes) { const li = document.createElement('li'); li.textContent = code; list.append(li); }
  event.target.hidden = true;
  box.hidden = false;
  $('h3', box).focus();
});
