// Long work in slices, so that the page answers in between.

const SLICE = 12; // milliseconds
const BAND = 1 << 15; // pixels between two looks at the clock

const channel = new MessageChannel();
const resumes = [];
channel.port1.onmessage = () => resumes.shift()();

/** Let the browser do what else there is; a timer would wait for 4 ms each time. */
export function breathe() {
  return new Promise((resume) => {
    resumes.push(resume);
    channel.port2.postMessage(null);
  });
}

/** Call `rows(from, to)` for all rows, part by part; false if `isStale()` ended it. */
export async function inSlices(height, width, rows, isStale) {
  const step = Math.max(1, Math.floor(BAND / width));
  let started = performance.now();
  for (let from = 0; from < height; from += step) {
    rows(from, Math.min(height, from + step));
    if (performance.now() - started < SLICE) continue;
    await breathe();
    if (isStale()) return false;
    started = performance.now();
  }
  return true;
}

/** Wait until what was drawn is on the screen; a page in the background, where nothing is drawn, waits a moment. */
export function painted() {
  return new Promise((resume) => {
    const timer = setTimeout(resume, 250);
    requestAnimationFrame(() => breathe().then(() => (clearTimeout(timer), resume())));
  });
}
