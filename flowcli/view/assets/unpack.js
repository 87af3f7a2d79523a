// Unpacks flow, masks and pictures, in a worker where there is one.

import { bytesOf, decodeFlow, decodeMask } from "./decode.js";
import { blobOf } from "./page_data.js";

const waiting = new Map();
let asked = 0;
let worker = startWorker();

/** Start the worker; null where the browser lets a page from disk have none. */
function startWorker() {
  try {
    const script = new Blob([document.getElementById("worker").textContent], { type: "text/javascript" });
    const address = URL.createObjectURL(script);
    const started = new Worker(address);
    started.onmessage = ({ data: { number, result, failure } }) => {
      const { resolve, reject } = waiting.get(number);
      waiting.delete(number);
      if (failure === undefined) resolve(result);
      else reject(new Error(failure));
    };
    started.onerror = doWithoutWorker;
    return started;
  } catch {
    return null;
  }
}

/** It did not start: decode here what it was asked for. */
function doWithoutWorker(event) {
  event.preventDefault();
  worker = null;
  for (const { request, resolve, reject } of waiting.values()) decodeHere(request).then(resolve, reject);
  waiting.clear();
}

const decodeHere = ({ kind, packed, width, height }) =>
  kind === "flow" ? decodeFlow(packed, width, height) : decodeMask(packed, width * height);

function decoded(kind, packed, width, height) {
  const request = { number: asked++, kind, packed, width, height };
  if (worker === null) return decodeHere(request);
  return new Promise((resolve, reject) => {
    waiting.set(request.number, { request, resolve, reject });
    worker.postMessage(request);
  });
}

/** A mask: a Uint8Array with 1 where it is true; null for null. */
export async function unpackMask(number, width, height) {
  return number === null ? null : decoded("mask", blobOf(number), width, height);
}

/** A flow with its figures, see `measured`; by the worker, or here, which is sooner while the worker still starts. */
export async function unpackFlow(packed, width, height, isHere) {
  const [unknown, above] = [packed.unknown, packed.above].map((mask) => (mask === null ? null : blobOf(mask)));
  const whole = { ...packed, blob: blobOf(packed.blob), unknown, above };
  return isHere ? decodeFlow(whole, width, height) : decoded("flow", whole, width, height);
}

/** A picture, ready to be drawn. */
export async function unpackPicture(picture) {
  return createImageBitmap(new Blob([bytesOf(blobOf(picture.blob))], { type: picture.type }));
}
