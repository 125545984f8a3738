// The review page: looking closely, choosing by number, seeing each change, losing nothing.
import "./zoom.js";
import "./choices.js";
import "./difference.js";
import "./draft.js";
import "./claim.js";
import "./copying.js";
import { enter, openPopover } from "./popovers.js";

// `e` takes the hands to the first control of the suggestion.
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-edit-first]")) return;
  const form = document.querySelector("form[data-draft]");
  const control = form?.querySelector("[data-field] .form-control, [data-field] input:checked, [data-field] input, textarea");
  control?.focus();
  if (control?.matches("input")) control.select?.(); // a whole text must not go with the first key
});

// One decision at a time: between sending it and the next item's being seen no key acts on either, not even one that the
// browser kept back while it was busy drawing. What is typed in that moment is dropped, and the page says that it waits.
let onItsWay = false;
let seenAt = 0;

document.addEventListener("htmx:beforeRequest", (event) => {
  if (!event.detail.elt.matches("form[data-draft]")) return;
  onItsWay = true;
  document.getElementById("review")?.setAttribute("inert", "");
});
document.addEventListener("htmx:afterRequest", () => {
  if (!onItsWay) return;
  // The second frame begins once the first one is painted.
  requestAnimationFrame(() => requestAnimationFrame(() => {
    onItsWay = false;
    seenAt = performance.now();
    document.getElementById("review")?.removeAttribute("inert");
    if (openPopover()) enter(openPopover()); // a refusal leaves it open, with its words
    else if (document.activeElement === document.body) document.getElementById("main")?.focus({ preventScroll: true });
  }));
});
window.addEventListener("keydown", (event) => {
  const ofTheBrowser = (event.ctrlKey || event.metaKey || event.altKey) && event.key !== "Enter";
  if (ofTheBrowser || (!onItsWay && event.timeStamp >= seenAt)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "review") return;
  const form = document.querySelector("form[data-title]");
  if (form) document.title = form.dataset.title;
  for (const column of document.querySelectorAll(".desk > section")) column.scrollTop = 0;
});

// Enter in a one-line field goes on to the next one; only Ctrl+Enter submits.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.ctrlKey || event.metaKey || openPopover() || !event.target.matches?.("form[data-draft] input")) return;
  event.preventDefault();
  const all = [...event.target.form.elements].filter((control) => control.matches("input:not([type=hidden]), textarea") && control.checkVisibility());
  all[all.indexOf(event.target) + 1]?.focus();
});
