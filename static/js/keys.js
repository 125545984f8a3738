// Keys are declared where the act is: an element with data-key is clicked, or focused if one types in it. Where the act
// is not to be had, the words of an element with data-no-key say why.
import { createKeybindingsHandler } from "../vendor/tinykeys.js";
import { notify } from "./notices.js";
import { closePopover, enter, enterRow, openPopover } from "./popovers.js";

const WHILE_TYPING = new Set(["$mod+Enter", "Escape"]);
const SEQUENCE = 900;
let handle = () => {};
let sequences = new Set();
let before = { key: "", at: 0 };

export function keysAreOn() {
  return document.documentElement.dataset.keys !== "off";
}

export function switchKeys(on) {
  if (on) delete document.documentElement.dataset.keys;
  else document.documentElement.dataset.keys = "off";
  try {
    localStorage.setItem("rq-keys", on ? "on" : "off");
  } catch {
    // the choice then lasts for this page
  }
}

export function isTyping(target) {
  if (!(target instanceof Element)) return false;
  if (target.closest("textarea, select, [contenteditable]")) return true;
  return target.matches("input:not([type=radio], [type=checkbox], [type=button], [type=submit])");
}

function bind() {
  const bindings = {};
  for (const element of document.querySelectorAll("[data-key], [data-no-key]")) {
    const key = element.dataset.key ?? element.dataset.noKey;
    const act = (event) => perform(key, event);
    bindings[key] = act;
    // Where a character needs Shift depends on the keyboard.
    if (/^[^a-z0-9]$/i.test(key)) bindings[`Shift+${key}`] = act;
  }
  sequences = new Set(Object.keys(bindings).filter((key) => key.includes(" ")));
  bindings.Escape = leave;
  handle = createKeybindingsHandler(bindings, { timeout: SEQUENCE });
  document.documentElement.dataset.listening = "";
}

// The second key of "g d" means the desk, and not what d does alone.
function endsSequence(key, event) {
  return event.timeStamp - before.at < SEQUENCE && sequences.has(`${before.key} ${key}`);
}

function perform(key, event) {
  if (endsSequence(key, event)) return;
  if (event.repeat || (isTyping(event.target) && !WHILE_TYPING.has(key))) return;
  const element = target(key, event.target);
  if (!element) return sayWhyNot(key);
  event.preventDefault();
  if (isTyping(element)) {
    element.focus();
    if (element.matches("input")) element.select();
  } else {
    element.click();
    if (element.matches("summary")) enterOpened(element.parentElement); // before the next key comes
  }
}

function enterOpened(details) {
  if (details.matches(".menu")) enter(details);
  else if (details.matches(".row-more")) enterRow(details);
}

function sayWhyNot(key) {
  if (document.querySelector("dialog[open]") || openPopover()) return;
  const said = `[data-no-key="${CSS.escape(key)}"]`;
  const why = document.querySelector(`tr[aria-current="true"] ${said}`) ?? document.querySelector(`:not([data-rows] *)${said}`);
  if (why && !why.closest("[inert]")) notify("info", why.textContent);
}

// The current row's own act comes first, then the page's. Behind a dialog or a popover no key is live.
function target(key, from) {
  const selector = `[data-key="${CSS.escape(key)}"]`;
  const closed = document.querySelector("dialog[open]") ?? openPopover()?.querySelector(".menu-body");
  const scopes = closed ? [closed] : [from.closest?.("[data-keys-inside]"), document.querySelector('tr[aria-current="true"]'), document];
  for (const scope of scopes.filter(Boolean)) {
    for (const element of scope.querySelectorAll(selector)) {
      const own = WHILE_TYPING.has(key) && element.closest("[data-keys-inside]"); // sends what is typed in there, no more
      if (own && !own.contains(from)) continue;
      if (scope === document && element.closest("[data-rows] > tr")) continue; // of another row, or while none is current
      if (!element.disabled && !element.closest("[inert]") && element.checkVisibility()) return element;
    }
  }
  return null;
}

function leave(event) {
  if (document.querySelector("dialog[open]")) return; // the browser closes it
  const menu = openPopover();
  if (menu) {
    closePopover(menu);
    return;
  }
  if (isTyping(event.target)) event.target.blur();
  document.dispatchEvent(new CustomEvent("rq:leave"));
}

document.addEventListener("keydown", (event) => {
  if (!keysAreOn() && event.key !== "Escape") return;
  if (isTyping(event.target) && event.key !== "Escape" && event.key !== "Enter") return;
  handle(event);
  before = { key: event.key, at: event.timeStamp };
});
document.addEventListener("DOMContentLoaded", bind);
document.addEventListener("htmx:afterSwap", bind);
document.addEventListener("rq:changed", bind);

try {
  // A choice made in this browser goes before the account's, which the page carries.
  const chosen = localStorage.getItem("rq-keys");
  if (chosen) switchKeys(chosen === "on");
} catch {
  // keys stay on
}
bind();
