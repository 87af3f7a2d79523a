// Keys, and the dialog that lists them.

import { byId, make } from "./dom.js";

/** Let keys act: each shortcut has `keys`, the `label` and `text` that help shows, and `act`. */
export function connectKeys(shortcuts) {
  const acts = new Map();
  for (const { keys, act } of shortcuts) for (const key of keys) acts.set(key, act);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTaken(event)) return;
    const act = acts.get(event.key);
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
}

/** Whether what has the focus needs the key itself. */
function isTaken({ key, target }) {
  if (document.querySelector("dialog[open]") !== null) return true;
  if (target.matches("select, input[type=number]")) return key !== "Escape" && key !== "?";
  return key === " " && target.matches("button, summary, input[type=checkbox]");
}

/** Fill the dialog of help, and connect its buttons. */
export function connectHelp(shortcuts) {
  const dialog = byId("help");
  const rows = [
    ["wheel, pinch", "Zoom"],
    ["drag", "Move the picture"],
    ["arrow keys", "Move the point, while a picture has the focus"],
    ["Shift + arrow keys", "Move it by 10 pixels"],
    ...shortcuts.filter(({ text }) => text).map(({ label, text }) => [label, text]),
  ];
  byId("keys").append(
    ...rows.map(([label, text]) =>
      make("tr", {}, make("th", { scope: "row" }, make("kbd", {}, label)), make("td", {}, text)),
    ),
  );
  byId("help-close").addEventListener("click", () => dialog.close());
  byId("help-open").addEventListener("click", openHelp);
}

export const openHelp = () => byId("help").showModal();
