// A popover is a small dialog: it takes the focus, keeps Tab inside, and gives the focus back when it closes.
const FIELDS = "textarea, input:not([type=hidden]), select, button, a[href]";
let cameFrom = null;

export function openPopover() {
  return document.querySelector("details.menu[open]");
}

export function enter(menu) {
  if (!menu?.open || menu.querySelector(".menu-body").contains(document.activeElement)) return;
  cameFrom = document.activeElement;
  stops(menu)[0]?.focus();
}

// What opens in a row of the backlog takes the focus at once too, or the next letter would be lost.
export function enterRow(more) {
  if (more?.open) more.querySelector("form :is(input:not([type=hidden]), button):enabled")?.focus();
}

export function closePopover(menu) {
  menu.open = false;
  const back = cameFrom?.isConnected && cameFrom !== document.body ? cameFrom : menu.querySelector("summary");
  cameFrom = null;
  back.focus({ preventScroll: true });
}

function stops(menu) {
  return [...menu.querySelectorAll(".menu-body :is(" + FIELDS + ")")].filter((stop) => !stop.disabled);
}

function keepTabInside(menu, event) {
  const all = stops(menu);
  const at = all.indexOf(document.activeElement);
  const next = at + (event.shiftKey ? -1 : 1);
  if (at >= 0 && next >= 0 && next < all.length) return;
  event.preventDefault();
  all.at(event.shiftKey ? -1 : 0)?.focus();
}

// Enter in a line, Ctrl+Enter in a text: what the popover is for. On a button the browser presses it.
function submit(menu, event) {
  const typing = event.target.matches?.("textarea, input");
  if (!typing || (event.target.matches("textarea") && !event.ctrlKey && !event.metaKey)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const part = event.target.closest("[data-sends]") ?? menu.querySelector(".menu-body");
  part.querySelector("button:not([type=button])")?.click();
}

document.addEventListener("keydown", (event) => {
  const menu = openPopover();
  if (!menu || document.querySelector("dialog[open]")) return;
  if (event.key === "Tab") keepTabInside(menu, event);
  if (event.key === "Enter") submit(menu, event);
}, true);
// Opened with the mouse, or by the page that came back with a refusal.
document.addEventListener("toggle", (event) => {
  if (event.target.matches?.("details.menu")) enter(event.target);
}, true);
enter(openPopover());
