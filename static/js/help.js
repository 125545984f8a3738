// The help dialog lists the keys that this very page has, so that it can never be out of date.
import { keysAreOn, switchKeys } from "./keys.js";

const NAMES = { "$mod+Enter": "Ctrl Enter", Escape: "Esc" };
const DIGITS = { decides: "Decide by the label's number", answers: "Answer by the label's number" };
const ALWAYS = [["Escape", "Leave a field, close what is open"]];

function list() {
  const found = new Map();
  for (const element of document.querySelectorAll("[data-key]")) {
    if (element.dataset.keyLabel && !found.has(element.dataset.key)) found.set(element.dataset.key, element.dataset.keyLabel);
  }
  if (document.querySelector("[data-digits]")) found.set("1 … 20", DIGITS[document.querySelector("[data-label]")?.dataset.label] ?? "Choose by number");
  if (document.querySelector("[data-rows]")) found.set("j / k", "Next, previous row");
  return [...found, ...ALWAYS];
}

function fill(target) {
  target.replaceChildren(
    ...list().map(([key, label]) => {
      const row = document.createElement("div");
      const term = document.createElement("dt");
      const keys = document.createElement("dd");
      const kbd = document.createElement("kbd");
      term.textContent = label;
      kbd.textContent = NAMES[key] || key;
      keys.append(kbd);
      row.append(term, keys);
      return row;
    }),
  );
}

document.addEventListener("click", (event) => {
  if (!event.target.closest('[data-open="keys-help"]')) return;
  fill(document.querySelector("[data-keys-list]"));
  document.querySelector("[data-keys-switch]").checked = keysAreOn();
});
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-keys-switch]")) switchKeys(event.target.checked);
});
