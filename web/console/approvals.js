// Publishing with the wrong dates says so at the dates.
document.addEventListener('refused', (event) => {
  const fields = event.detail.body?.error?.fields, place = event.target.querySelector('[role=alert]');
  if (!fields || !place) return;
  event.preventDefault();
  place.textContent = Object.values(fields).join('\n');
  place.hidden = false;
});
