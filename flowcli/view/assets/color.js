// Colours of flow, as flowcli/draw/color.py computes them.

import { STEPS_PER_HUE, TURN } from "./turn.js";
import { pageData } from "./page_data.js";

const hues = pageData.tables.wheel;
const OPAQUE = 0xff << 24;
const UNKNOWN = OPAQUE | 0x808080;

/** White minus the colour at each step of Middlebury's wheel: red, green, blue. */
const lacks = new Float32Array((TURN + 1) * 3);
/** The colour at each step of the wheel of HSV. */
const brights = new Float32Array((TURN + 1) * 3);
for (let step = 0; step <= TURN; step++) {
  const hue = Math.min(Math.floor(step / STEPS_PER_HUE), hues.length - 2);
  const rest = step / STEPS_PER_HUE - hue;
  const sixth = (6 * step) / TURN;
  for (let channel = 0; channel < 3; channel++) {
    lacks[3 * step + channel] = 255 - (hues[hue][channel] * (1 - rest) + hues[hue + 1][channel] * rest);
    const away = Math.abs(((sixth - 2 * channel + 9) % 6) - 3); // from the sixth where this channel is full
    brights[3 * step + channel] = 255 * Math.min(1, Math.max(0, 2 - away));
  }
}

// The two wheels, for a direction in steps and a length, NaN where unknown. As plain functions and loops of their own,
// engines make them several times as fast as closures.

/** Beyond the rim, which is at 1 or a little more, colours are darker. */
function middlebury(turn, length, inverse, rim) {
  if (length !== length) return OPAQUE;
  const radius = length * inverse;
  const inside = radius < 1 ? radius : 1;
  const shade = radius <= rim ? 1 : 0.75;
  const at = 3 * turn;
  const blue = (255 - lacks[at + 2] * inside) * shade;
  const green = (255 - lacks[at + 1] * inside) * shade;
  return OPAQUE | (blue << 16) | (green << 8) | ((255 - lacks[at] * inside) * shade);
}

function hsv(turn, length, inverse) {
  if (length !== length) return UNKNOWN;
  const radius = length * inverse;
  const value = radius < 1 ? radius : 1;
  const at = 3 * turn;
  const blue = brights[at + 2] * value + 0.5;
  return OPAQUE | (blue << 16) | ((brights[at + 1] * value + 0.5) << 8) | (brights[at] * value + 0.5);
}

/**
 * Where the rim of the wheel is. Stored flow is in steps, so a vector may be longer than in the file. At the scale at
 * first, which is the length of the longest vector in the file, one that is beyond it by no more than that explains
 * counts as on the rim.
 */
const rimOf = (scale, step) => (scale === pageData.scale ? 1 + (step * Math.SQRT1_2) / scale : 1);

/** The colour of one vector, as a pixel's number. */
export function colorOf(turn, length, step, scale, wheel) {
  return wheel === "hsv" ? hsv(turn, length, 1 / scale) : middlebury(turn, length, 1 / scale, rimOf(scale, step));
}

/** Colour a field into the numbers of pixels. */
export function paintField({ turn, length, step }, scale, wheel, pixels) {
  if (wheel === "hsv") paintHsv(turn, length, 1 / scale, pixels);
  else paintMiddlebury(turn, length, 1 / scale, rimOf(scale, step), pixels);
}

function paintMiddlebury(turn, length, inverse, rim, pixels) {
  for (let i = 0; i < pixels.length; i++) pixels[i] = middlebury(turn[i], length[i], inverse, rim);
}

function paintHsv(turn, length, inverse, pixels) {
  for (let i = 0; i < pixels.length; i++) pixels[i] = hsv(turn[i], length[i], inverse);
}

/** A pixel's number as a colour of CSS. */
export const cssColor = (pixel) => `rgb(${pixel & 255} ${(pixel >> 8) & 255} ${(pixel >> 16) & 255})`;

/** Red, green and blue as a pixel's number. */
export const opaque = ([red, green, blue]) => OPAQUE | (blue << 16) | (green << 8) | red;
