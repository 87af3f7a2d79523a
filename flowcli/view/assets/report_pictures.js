// The small pictures of rows: decoded when they come into view.

import { bytesOf } from "./decode.js";
import { blobOf } from "./page_data.js";
import { element } from "./report_elements.js";

const nothing = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==";
const addresses = new Map();
const waiting = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      waiting.unobserve(target);
      target.src = addressOf(Number(target.dataset.blob));
    }
  },
  { root: document.getElementById("pairs").parentElement, rootMargin: "400px" },
);

/** The address of a blob that holds a JPEG. */
function addressOf(number) {
  if (!addresses.has(number)) {
    addresses.set(number, URL.createObjectURL(new Blob([bytesOf(blobOf(number))], { type: "image/jpeg" })));
  }
  return addresses.get(number);
}

/** Wait no longer for the pictures that have been made so far: their rows are about to go. */
export function forgetPictures() {
  waiting.disconnect();
}

/** A picture that is loaded once it is nearly in view. */
export function lazyPicture(number, description) {
  const picture = element("img", { alt: description, src: nothing, "data-blob": String(number) });
  waiting.observe(picture);
  return picture;
}
