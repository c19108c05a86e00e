// How a page looks, whatever it shows: 长辈版 remembered for next time, and folded parts opened on paper.
import { stored } from './dom.js';

const ELDER = 'consult.elder';

/** The button that switches 长辈版; onSwitch(on, asked) hears of it, `asked` when a person did it. */
export function elderSwitch(button, onSwitch = () => {}) {
  const root = document.documentElement;
  const set = (on, asked) => {
    root.classList.toggle('elder', on);
    button.setAttribute('aria-pressed', String(on));
    onSwitch(on, asked);
  };
  button.addEventListener('click', () => {
    const on = !root.classList.contains('elder');
    stored('localStorage', ELDER, on);
    set(on, true);
  });
  set(stored('localStorage', ELDER) === true, false);
}

/** Opens what is folded inside `selector` while the page is printed. */
export function unfoldOnPaper(selector) {
  let folded = [];
  const fold = (open) => folded.forEach((d) => { d.open = open; });
  addEventListener('beforeprint', () => { folded = [...document.querySelectorAll(selector)].filter((d) => !d.open); fold(true); });
  addEventListener('afterprint', () => fold(false));
}
