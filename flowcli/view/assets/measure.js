// Figures of flow: lengths, directions, errors, histograms.

import { TURN, turnOf } from "./turn.js";

const KITTI_PIXELS = 3;
const KITTI_SHARE = 0.05;

/** How many bars the histogram of directions has. */
export const DIRECTIONS = 72;
/** How many bars the histogram of lengths has. */
export const LENGTHS = 80;

/** A flow with all that is shown of it: lengths (NaN where unknown), directions in steps, and their figures. */
export function measured(u, v, step) {
  const size = u.length;
  const length = new Float32Array(size);
  const turn = new Uint16Array(size);
  let known = 0;
  let sum = 0;
  let longest = 0;
  for (let i = 0; i < size; i++) {
    const across = u[i];
    const down = v[i];
    const distance = Math.sqrt(across * across + down * down);
    length[i] = distance;
    if (distance !== distance) continue;
    turn[i] = turnOf(across, down);
    known++;
    sum += distance;
    if (distance > longest) longest = distance;
  }
  return { u, v, step, length, turn, known: known / size, mean: known ? sum / known : NaN, longest };
}

/** The direction of a vector in degrees, 0..360: 0 to the right, 90 downwards. */
export const degreesOf = (u, v) => ((Math.atan2(v, u) * 180) / Math.PI + 360) % 360;

/** The error of one vector in pixels; NaN where either is unknown. */
export const errorAt = (field, truth, i) => Math.hypot(field.u[i] - truth.u[i], field.v[i] - truth.v[i]);

/** Whether an error counts as wrong on KITTI. */
export const isWrong = (error, length) => error > KITTI_PIXELS && error > KITTI_SHARE * length;

/** The step of KITTI's ten colours that an error falls into; each ends at twice the error of the one before. */
export function kittiStep(error, length) {
  const share = length > 0 ? error / length / KITTI_SHARE : Infinity;
  const step = Math.floor(Math.log2(Math.min(error / KITTI_PIXELS, share))) + 5;
  return Math.min(9, Math.max(0, step));
}

/** The errors of a flow, NaN where unknown, their mean and the share that counts as wrong on KITTI. */
export function errorsOf(field, truth) {
  const values = new Float32Array(field.u.length);
  let known = 0;
  let wrong = 0;
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    const across = field.u[i] - truth.u[i];
    const down = field.v[i] - truth.v[i];
    const error = Math.sqrt(across * across + down * down);
    values[i] = error;
    if (error !== error) continue;
    known++;
    sum += error;
    if (isWrong(error, truth.length[i])) wrong++;
  }
  return { values, known, mean: known ? sum / known : NaN, wrong: known ? wrong / known : NaN };
}

/** The bar of a length. */
export const lengthBar = (length, longest) => Math.min(LENGTHS - 1, Math.floor((length / longest) * LENGTHS));

/** The bar of a direction in steps. */
export const directionBar = (turn) => Math.floor((turn / TURN) * DIRECTIONS) % DIRECTIONS;

/** Count lengths and directions; a vector that is zero has no direction. */
export function histograms({ length, turn, longest }) {
  const lengths = new Uint32Array(LENGTHS);
  const directions = new Uint32Array(DIRECTIONS);
  for (let i = 0; i < length.length; i++) {
    const distance = length[i];
    if (distance !== distance) continue;
    lengths[longest > 0 ? lengthBar(distance, longest) : 0]++;
    if (distance > 0) directions[directionBar(turn[i])]++;
  }
  return { lengths, directions };
}
