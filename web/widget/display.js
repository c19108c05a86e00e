// How a page looks, whatever it shows: 长辈版 remembered for next time, and folded parts opened on paper.
import { stored } from './dom.js';

const ELDER = 'consult.elder', SIZE = 'consult.size', SIZES = [['size-1', '标准'], ['size-2', '大'], ['size-3', '特大']];

/** The button that switches 长辈版; onSwitch(on, asked) hears of it, `asked` when a person did it. */
export function elderSwitch(button, onSwitch = () => {}, root = document.documentElement) {
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

/** The button that goes through the sizes of letters; onSwitch(name) hears of a change. */
export function sizeSwitch(button, onSwitch = () => {}, root = document.documentElement) {
  let size = SIZES.findIndex(([kept]) => kept === stored('localStorage', SIZE));
  const set = () => { for (const [name] of SIZES) root.classList.toggle(name, name === SIZES[size][0]); };
  if (size < 0) size = 0;
  button.addEventListener('click', () => {
    size = (size + 1) % SIZES.length;
    stored('localStorage', SIZE, SIZES[size][0]);
    set();
    onSwitch(SIZES[size][1]);
  });
  set();
}

/** Opens what is folded inside `selector` while the page is printed. */
export function unfoldOnPaper(selector, root = document) {
  let folded = [];
  const fold = (open) => folded.forEach((d) => { d.open = open; });
  addEventListener('beforeprint', () => { folded = [...root.querySelectorAll(selector)].filter((d) => !d.open); fold(true); });
  addEventListener('afterprint', () => fold(false));
}
