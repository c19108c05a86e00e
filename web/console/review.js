// “评下一个” goes to what was taken; the item to mend is asked for only where one is to be mended.
document.addEventListener('sent', (event) => {
  if (!event.target.matches('[data-next]')) return;
  event.preventDefault();
  const answer = encodeURIComponent(event.detail.answer);
  location.assign(`/console/conversations/${answer}?purpose=review&answer=${answer}#${answer}`);
});

for (const form of document.querySelectorAll('form.judge')) {
  const target = form.querySelector('[data-target]'), follow = form.elements.namedItem('follow_up');
  const show = () => {
    target.hidden = follow.value !== 'mend_item';
    for (const field of target.querySelectorAll('select')) field.disabled = target.hidden;
  };
  follow.addEventListener('change', show);
  show();
}

// On paper everything is open: what an answer rested on belongs to it.
window.addEventListener('beforeprint', () => {
  for (const part of document.querySelectorAll('main details:not(.no-print)')) part.open = true;
});
