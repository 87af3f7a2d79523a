// Decodes flow and masks; flowcli/view/encoding.py is the other side. It needs no page, so it also runs in a worker.

import { measured } from "./measure.js";
import { TURN } from "./turn.js";

const letters = [];
for (let code = 33; code < 127; code++) {
  if (!"\"&'-/<>\\`".includes(String.fromCharCode(code))) letters.push(code);
}
const digits = new Uint8Array(128);
letters.forEach((code, digit) => (digits[code] = digit));

/** The bytes of a blob; `as_text` in flowcli/view/page.py is the other side. */
export function bytesOf({ text, size }) {
  const words = new DataView(new ArrayBuffer((text.length / 5) * 4));
  for (let i = 0, at = 0; i < text.length; i += 5, at += 4) {
    let value = 0;
    for (let digit = 0; digit < 5; digit++) value = value * 85 + digits[text.charCodeAt(i + digit)];
    words.setUint32(at, value);
  }
  return new Uint8Array(words.buffer, 0, size);
}

async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** A mask: a Uint8Array with 1 where it is true; null for null. */
export async function decodeMask(blob, count) {
  if (blob === null) return null;
  const packed = await inflate(bytesOf(blob));
  return spread(packed, count);
}

/** A flow with its figures: `measured`, of Float32Arrays u and v in pixels, row by row; NaN where unknown. */
export async function decodeFlow(packed, width, height) {
  const count = width * height;
  const masks = [packed.unknown, packed.above].map((mask) => decodeMask(mask, count));
  const [bytes, unknown, above] = await Promise.all([inflate(bytesOf(packed.blob)), ...masks]);
  const components = [];
  let start = 0;
  for (let component = 0; component < 2; component++) {
    const end = start + packed.planes[component] * count;
    const steps = joinPlanes(bytes.subarray(start, end), count);
    unpredict(steps, width, height, packed.predictors[component]);
    components.push(inPixels(steps, packed.step, unknown));
    start = end;
  }
  const field = measured(components[0], components[1], packed.step);
  if (above !== null) closeTurn(field.turn, above);
  return field;
}

// Loops over pixels are in plain functions: engines compile those sooner than asynchronous ones.

function spread(packed, count) {
  const mask = new Uint8Array(count);
  for (let i = 0; i < count; i++) mask[i] = (packed[i >> 3] >> (7 - (i & 7))) & 1;
  return mask;
}

/** Directions that are stored as to the right but lead up a little are at the end of the turn, not at its start. */
function closeTurn(turn, above) {
  for (let i = 0; i < turn.length; i++) if (above[i]) turn[i] = TURN;
}

function inPixels(steps, step, unknown) {
  const values = new Float32Array(steps.length);
  for (let i = 0; i < values.length; i++) values[i] = steps[i] * step;
  if (unknown !== null) for (let i = 0; i < values.length; i++) if (unknown[i]) values[i] = NaN;
  return values;
}

/** Planes of bytes, low first, as the numbers of both signs that they stand for. */
function joinPlanes(planes, count) {
  const values = new Int32Array(count);
  for (let start = 2 * count, shift = 16; start < planes.length; start += count, shift += 8) {
    const plane = planes.subarray(start, start + count);
    for (let i = 0; i < count; i++) values[i] |= plane[i] << shift;
  }
  const low = planes.subarray(0, count);
  const high = planes.length > count ? planes.subarray(count, 2 * count) : new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const value = values[i] | (high[i] << 8) | low[i];
    values[i] = (value >>> 1) ^ -(value & 1);
  }
  return values;
}

/** Add each pixel's prediction, in place; pixels beyond the first row and column count as 0. */
function unpredict(values, width, height, predictor) {
  const row = [fromLeft, fromPlane, fromMedian][predictor];
  const before = new Int32Array(width);
  for (let y = 0; y < height; y++) {
    const line = values.subarray(y * width, (y + 1) * width);
    row(line, y > 0 ? values.subarray((y - 1) * width, y * width) : before);
  }
}

function fromLeft(line) {
  let left = 0;
  for (let x = 0; x < line.length; x++) left = line[x] += left;
}

function fromPlane(line, before) {
  let left = 0;
  let corner = 0;
  for (let x = 0; x < line.length; x++) {
    left = line[x] = (line[x] + left + before[x] - corner) | 0;
    corner = before[x];
  }
}

function fromMedian(line, before) {
  let left = 0;
  let corner = 0;
  for (let x = 0; x < line.length; x++) {
    const above = before[x];
    const low = left < above ? left : above;
    const high = left < above ? above : left;
    const both = (left + above - corner) | 0;
    left = line[x] = (line[x] + (both < low ? low : both > high ? high : both)) | 0;
    corner = above;
  }
}
