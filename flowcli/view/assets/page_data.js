// What Python has put on the page; flowcli/view/page.py is the other side.

/** What Python wrote about the page. */
export const pageData = JSON.parse(document.getElementById("page-data").textContent);

/** A blob as it stands on the page, for `bytesOf`. */
export function blobOf(number) {
  const element = document.getElementById(`blob-${number}`);
  return { text: element.textContent, size: Number(element.dataset.bytes) };
}
