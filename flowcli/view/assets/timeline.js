// Plays the moments of a timeline.

import { byId } from "./dom.js";
import { pageData } from "./page_data.js";

const AHEAD = 2; // moments decoded before they are needed
const PATIENCE = 1.2; // of the time between moments, until it is said that not all are shown
const MEMORY = 0.7; // of how long moments took, when the next is guessed

/** The controls below the panes. */
export class Timeline {
  constructor(app) {
    this.app = app;
    this.moments = pageData.moments;
    this.isPlaying = false;
    this.button = byId("play");
    this.slider = byId("scrub");
    this.slider.max = String(this.moments.length - 1);
    byId("timeline").hidden = false;
    this.button.addEventListener("click", () => this.toggle());
    this.slider.addEventListener("input", () => this.go(this.slider.valueAsNumber));
    byId("previous").addEventListener("click", () => this.step(-1));
    byId("next").addEventListener("click", () => this.step(1));
    const rate = `${Number(pageData.rate.toFixed(3))} frames/s`;
    const kept = pageData.stride > 1 ? `, every ${ordinal(pageData.stride)} kept` : "";
    this.rate = rate + kept;
    this.showPace(0);
  }

  /** Show a moment, and stop playing. */
  go(index) {
    this.stop();
    return this.app.show(index);
  }

  step(by) {
    return this.go(Math.min(this.moments.length - 1, Math.max(0, this.app.wanted + by)));
  }

  toggle() {
    if (this.isPlaying) this.stop();
    else this.play();
  }

  stop() {
    if (this.isPlaying) this.app.fillIn();
    this.isPlaying = false;
    this.showButton();
    this.showPace(0);
    this.app.catchUp();
  }

  /** Tell the rate, and how many moments are shown if one takes longer than it lasts, in seconds. */
  showPace(taking) {
    const every = pageData.stride / pageData.rate;
    const pace = taking > PATIENCE * every ? `, ${(1 / taking).toFixed(0)} shown: decoding takes longer` : "";
    byId("rate").textContent = this.rate + pace;
  }

  /** Play in real time, from the start if it is at the end; moments that would come too late are left out. */
  async play() {
    this.isPlaying = true;
    this.showButton();
    const last = this.moments.length - 1;
    if (this.app.index === last) await this.app.show(0);
    const began = performance.now() / 1000 - this.moments[this.app.index].time;
    const playing = () => performance.now() / 1000 - began;
    let taking = 0; // seconds, to decode and show a moment
    const coming = []; // moments that are being decoded
    while (this.isPlaying) {
      this.choose(coming, playing(), taking);
      if (coming.length === 0) break;
      const started = playing();
      await this.app.store.get(coming[0]);
      const early = Math.max(0, this.moments[coming[0]].time - playing());
      await new Promise((resume) => setTimeout(resume, 1000 * early));
      if (!this.isPlaying) return;
      await this.app.show(coming.shift());
      taking = MEMORY * taking + (1 - MEMORY) * (playing() - started - early);
      this.showPace(taking);
    }
    if (this.isPlaying) this.stop();
  }

  /** Choose the moments to come, and have them decoded: those that begin when they could be shown, or the next. */
  choose(coming, now, taking) {
    while (coming.length < AHEAD) {
      const before = coming.at(-1) ?? this.app.index;
      const next = this.indexAt(now + taking * coming.length, before + 1);
      if (next >= this.moments.length) return;
      coming.push(next);
      this.prefetch([next]);
    }
  }

  /** The last moment that begins up to a time, not before `index`. */
  indexAt(time, index) {
    while (index + 1 < this.moments.length && this.moments[index + 1].time <= time) index++;
    return index;
  }

  /** A moment is shown. */
  shown(index) {
    const { name, time } = this.moments[index];
    const place = `${index + 1} of ${this.moments.length}`;
    this.slider.value = String(index);
    this.slider.setAttribute("aria-valuetext", `${place}, ${time.toFixed(2)} seconds`);
    byId("moment").textContent = `${place} · ${time.toFixed(2)} s · ${name}`;
    byId("previous").disabled = index === 0;
    byId("next").disabled = index === this.moments.length - 1;
    if (!this.isPlaying) this.prefetch(Array.from({ length: AHEAD }, (_, ahead) => index + 1 + ahead));
  }

  prefetch(indices) {
    for (const index of indices) if (index < this.moments.length) this.app.store.get(index);
  }

  showButton() {
    this.button.textContent = this.isPlaying ? "Pause" : "Play";
    this.button.setAttribute("aria-pressed", String(this.isPlaying));
  }
}

/** A number as a rank, such as "2nd"; strides are powers of two. */
export function ordinal(number) {
  return number === 2 ? "2nd" : `${number}th`;
}
