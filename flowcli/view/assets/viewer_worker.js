// Decodes beside the page, on another core.

import { decodeFlow, decodeMask } from "./decode.js";

self.onmessage = async ({ data: { number, kind, packed, width, height } }) => {
  try {
    const result = await (kind === "flow" ? decodeFlow(packed, width, height) : decodeMask(packed, width * height));
    const arrays = kind === "flow" ? [result.u, result.v, result.length, result.turn] : [result];
    self.postMessage(
      { number, result },
      arrays.map(({ buffer }) => buffer),
    );
  } catch (error) {
    self.postMessage({ number, failure: String(error) });
  }
};
