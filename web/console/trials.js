// Runs that are on their way: the page keeps count, and is read anew when they end.
import { api } from '/console/static/console.js';

const bar = document.querySelector('progress[data-watch]');
let wait = 700;
async function look() {
  try {
    const state = await api('GET', bar.dataset.watch);
    bar.max = state.total || 1;
    bar.value = state.done;
    const words = document.getElementById('how-far');
    if (words) words.textContent = `问了 ${state.done} 个，共 ${state.total} 个`;
    if (!state.open) { location.reload(); return; }
  } catch { wait = Math.min(wait * 2, 10000); }
  setTimeout(look, wait);
}
if (bar) setTimeout(look, wait);

// After new questions were added: say how many, and how many were there already.
document.addEventListener('sent', (event) => {
  if (event.detail?.added === undefined) return;
  const { added, passed_over: known } = event.detail;
  event.target.dataset.said = known ? `加了 ${added} 个，另有 ${known} 个原来就有` : `加了 ${added} 个`;
});
