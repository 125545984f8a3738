// Walks through a list by keyboard: j and k move, o opens. The current row keeps the mark when focus leaves it.
import { isTyping, keysAreOn } from "./keys.js";
import { openPopover } from "./popovers.js";

function rows() {
  return [...document.querySelectorAll("[data-rows] > tr")].filter((row) => row.querySelector("a[href]"));
}

function mark(row) {
  for (const other of document.querySelectorAll('[data-rows] > tr[aria-current="true"]')) {
    if (other !== row) other.removeAttribute("aria-current");
  }
  row.setAttribute("aria-current", "true");
}

function move(step) {
  const all = rows();
  if (!all.length) return false;
  const at = all.findIndex((row) => row.getAttribute("aria-current") === "true");
  const next = all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + step))];
  next.querySelector("a[href]").focus();
  next.scrollIntoView({ block: "nearest" });
  return true;
}

document.addEventListener("focusin", (event) => {
  const row = event.target.closest("[data-rows] > tr");
  if (row) mark(row);
});
document.addEventListener("keydown", (event) => {
  if (!keysAreOn() || isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector("dialog[open]") || openPopover()) return;
  if (event.key === "j" && move(1)) event.preventDefault();
  if (event.key === "k" && move(-1)) event.preventDefault();
  if (event.key === "o") document.querySelector('[data-rows] > tr[aria-current="true"] a[href]')?.click();
});
