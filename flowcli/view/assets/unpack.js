// Unpacks flow, masks and pictures, in workers where the browser lets the page have some.

import { bytesOf, decodeFlow, decodeMask } from "./decode.js";
import { blobOf } from "./page_data.js";

const MOST_WORKERS = Math.min(3, Math.max(1, navigator.hardwareConcurrency ?? 1));

/** Those that run, with what each has been asked for: two moments can be decoded at once while a timeline plays. */
const workers = [];
let hasWorkers = true;
let asked = 0;
startWorker();

/** Start a worker, unless the browser lets a page from disk have none; returns it. */
function startWorker() {
  try {
    const script = new Blob([document.getElementById("worker").textContent], { type: "text/javascript" });
    const thread = new Worker(URL.createObjectURL(script));
    const worker = { thread, waiting: new Map() };
    thread.onmessage = ({ data: { number, result, failure } }) => {
      const { resolve, reject } = worker.waiting.get(number);
      worker.waiting.delete(number);
      if (failure === undefined) resolve(result);
      else reject(new Error(failure));
    };
    thread.onerror = doWithoutWorkers;
    workers.push(worker);
    return worker;
  } catch {
    hasWorkers = false;
    return null;
  }
}

/** They did not start: decode here what they were asked for. */
function doWithoutWorkers(event) {
  event.preventDefault();
  hasWorkers = false;
  for (const { waiting } of workers.splice(0)) {
    for (const { request, resolve, reject } of waiting.values()) decodeHere(request).then(resolve, reject);
    waiting.clear();
  }
}

/** The worker with the least to do; another one if all have something; null if there are none. */
function idlest() {
  const [first] = workers.toSorted((one, other) => one.waiting.size - other.waiting.size);
  const isBusy = first === undefined || first.waiting.size > 0;
  return (isBusy && hasWorkers && workers.length < MOST_WORKERS && startWorker()) || (first ?? null);
}

const decodeHere = ({ kind, packed, width, height }) =>
  kind === "flow" ? decodeFlow(packed, width, height) : decodeMask(packed, width * height);

function decoded(kind, packed, width, height) {
  const request = { number: asked++, kind, packed, width, height };
  const worker = idlest();
  if (worker === null) return decodeHere(request);
  return new Promise((resolve, reject) => {
    worker.waiting.set(request.number, { request, resolve, reject });
    worker.thread.postMessage(request);
  });
}

/** A mask: a Uint8Array with 1 where it is true; null for null. */
export async function unpackMask(number, width, height) {
  return number === null ? null : decoded("mask", blobOf(number), width, height);
}

/** A flow with its figures, see `measured`; by a worker, or here, which is sooner while the first one still starts. */
export async function unpackFlow(packed, width, height, isHere) {
  const [unknown, above] = [packed.unknown, packed.above].map((mask) => (mask === null ? null : blobOf(mask)));
  const whole = { ...packed, blob: blobOf(packed.blob), unknown, above };
  return isHere ? decodeFlow(whole, width, height) : decoded("flow", whole, width, height);
}

/** A picture, ready to be drawn. */
export async function unpackPicture(picture) {
  return createImageBitmap(new Blob([bytesOf(blobOf(picture.blob))], { type: picture.type }));
}
