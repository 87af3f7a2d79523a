// What is known of the flow, how precise the page is, and what it has left out.

import { byId, make, short } from "./dom.js";
import { ordinal } from "./timeline.js";
import { pageData } from "./page_data.js";

/** Fill the section. */
export function tellAbout() {
  const facts = [["size", `${pageData.width} x ${pageData.height} pixels`], ...Object.entries(pageData.facts)];
  byId("facts").append(...facts.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, String(value))]));
  const lines = [...pageData.notes, ...precision(), pictures(), leftOut(), angles()];
  byId("notes").append(...lines.filter((line) => line !== null).map((line) => make("li", {}, line)));
}

/** How far vectors may be from the file's: half the diagonal of a step. */
function precision() {
  const { flows, moments } = pageData;
  const off = (packed) => {
    const step = moments.reduce((largest, moment) => Math.max(largest, packed(moment).step), 0);
    const most = step * Math.SQRT1_2;
    return `off by at most ${most < 1e-3 ? short(most) : most.toFixed(4)} px`;
  };
  const lines = flows.map((name, index) => `Vectors of ${name} are ${off((moment) => moment.flows[index])}.`);
  return moments[0].truth === null ? lines : [...lines, `Those of the truth are ${off(({ truth }) => truth)}.`];
}

function pictures() {
  const types = new Set(pageData.moments.flatMap(({ frame1, frame2 }) => [frame1, frame2]).map((frame) => frame?.type));
  if (types.has("image/jpeg"))
    return "Frames are stored as JPEG, so their colours, and what is warped, are a little off.";
  return types.has("image/png") ? "Frames are stored without loss (PNG)." : null;
}

function leftOut() {
  const { moments, seen, stride } = pageData;
  if (stride === 1) return null;
  const kept = `Of ${seen} moments, every ${ordinal(stride)} is kept, ${moments.length} in all`;
  return `${kept}; the others are left out, as the page had no room for them.`;
}

const angles = () =>
  "Angles: 0° is to the right, 90° downwards. u is to the right, v downwards, from frame 1 to frame 2.";
