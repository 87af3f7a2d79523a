// Flow as arrows over a picture, as flowcli/draw/arrows.py draws them.

import { colorOf, cssColor } from "./color.js";

const SHORTEST = 1.5; // pixels of the page; a shorter arrow is not drawn
const LONGEST = 0.9; // of the distance between arrows, for flow of full colour
const TIP = { share: 0.4, least: 2, most: 6 }; // of the length; pixels of the page
const OUTLINE = "rgb(0 0 0 / 75%)";
const WHITE = "rgb(255 255 255)";

/**
 * Draw arrows about `spacing` pixels of the page apart, on the same pixels of the frame wherever it is moved; in the
 * wheel's colours, or white if `wheel` is null.
 */
export function drawArrows(context, pane, place, field, spacing, scale, wheel) {
  const { width, height } = pane.view;
  const step = Math.max(1, Math.round(spacing / place.scale));
  const color = (i) =>
    wheel === null ? WHITE : cssColor(colorOf(field.turn[i], field.length[i], field.step, scale, wheel));
  const reach = (LONGEST * step * place.scale) / scale;
  const [left, right] = shownRange(step, width, place.left, place.scale, pane.size.width);
  const [top, bottom] = shownRange(step, height, place.top, place.scale, pane.size.height);
  context.lineCap = "round";
  context.lineJoin = "round";
  for (let y = top; y < bottom; y += step) {
    for (let x = left; x < right; x += step) {
      const i = y * width + x;
      const length = Math.min(field.length[i], 4 * scale) * reach;
      if (!(length >= SHORTEST)) continue; // unknown flow, too
      const angle = Math.atan2(field.v[i], field.u[i]);
      const tail = { x: place.left + (x + 0.5) * place.scale, y: place.top + (y + 0.5) * place.scale };
      drawArrow(context, tail, length, angle, color(i));
    }
  }
}

/** The first pixel with an arrow that may be seen, and the last pixel. */
function shownRange(step, side, start, scale, room) {
  const first = Math.min(step, side) >> 1;
  const skipped = Math.max(0, Math.floor((-start / scale - first) / step) - 1);
  return [first + skipped * step, Math.min(side, Math.ceil((room - start) / scale) + step)];
}

function drawArrow(context, { x, y }, length, angle, color) {
  const [tipX, tipY] = [x + length * Math.cos(angle), y + length * Math.sin(angle)];
  const head = Math.min(TIP.most, Math.max(TIP.least, length * TIP.share));
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(tipX, tipY);
  for (const side of [-0.5, 0.5]) {
    context.moveTo(tipX, tipY);
    context.lineTo(tipX - head * Math.cos(angle + side), tipY - head * Math.sin(angle + side));
  }
  context.strokeStyle = OUTLINE;
  context.lineWidth = 2.6;
  context.stroke();
  context.strokeStyle = color;
  context.lineWidth = 1.2;
  context.stroke();
}
