// Nothing typed is ever lost: each change goes to this tab's storage at once and to the server soon after.
import { notify } from "./notices.js";
import { serverNow } from "./times.js";

const PAUSE = 800;
let timer = 0;
let edits = 0;

const form = () => document.querySelector("form[data-draft]");
const slot = (of) => `rq-draft:${of.dataset.item}`;

function typed(of) {
  return [...new FormData(of)].filter(([name]) => !["claim_token", "version", "verdict", "sure", "zone", "until"].includes(name));
}

function keepHere(of) {
  try {
    sessionStorage.setItem(slot(of), JSON.stringify({ at: serverNow(), typed: typed(of) }));
  } catch {
    // full or forbidden: the server's copy remains
  }
}

async function keepThere(of) {
  const body = new URLSearchParams(new FormData(of));
  body.set("edits", String(edits));
  const answer = await fetch(of.dataset.draft, { method: "POST", body, keepalive: body.toString().length < 60_000, headers: { "HX-Request": "true" } });
  if (!answer.ok || answer.headers.get("HX-Redirect")) throw new Error(String(answer.status));
  edits = 0;
}

function say(text) {
  const state = document.querySelector("[data-draft-state]");
  if (state) state.textContent = text;
}

async function save() {
  clearTimeout(timer);
  timer = 0;
  const of = form();
  if (!of) return;
  try {
    await keepThere(of);
    say("draft kept");
  } catch {
    say("draft kept in this tab only");
  }
}

// A reload, a Back, a new sign-in: what this tab still knows and the server does not is put back.
function restore() {
  const of = form();
  if (!of) return;
  try {
    const kept = JSON.parse(sessionStorage.getItem(slot(of)) || "null");
    if (kept && JSON.stringify(kept.typed) !== JSON.stringify(typed(of)) && kept.at > Number(of.dataset.draftAt || 0)) {
      fill(of, kept.typed);
      document.dispatchEvent(new CustomEvent("rq:restored"));
      if (!document.querySelector("#notices .notice")) notify("info", "What you had typed here is back.");
      timer = setTimeout(save, PAUSE);
    }
  } catch {
    // nothing readable was kept
  }
}

function fill(of, pairs) {
  for (const [name, text] of pairs) {
    for (const control of of.elements) {
      if (control.name !== name) continue;
      if (control.type === "radio") control.checked = control.value === text;
      else if (control.type !== "submit" && control.type !== "hidden") control.value = text;
    }
  }
}

document.addEventListener("input", (event) => {
  const of = event.target.closest("form[data-draft]") || (event.target.form?.matches("form[data-draft]") && event.target.form);
  if (!of) return;
  edits += 1;
  keepHere(of);
  say("…");
  clearTimeout(timer);
  timer = setTimeout(save, PAUSE);
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden && timer) save();
});
document.addEventListener("htmx:beforeRequest", (event) => {
  // The request itself carries everything; a draft that arrives later would bring the decided text back.
  if (event.detail.elt.matches("form[data-draft]")) clearTimeout(timer);
});
// Before the swap: what comes may be the same item, and must not get back what was just sent.
document.addEventListener("htmx:beforeSwap", (event) => {
  const of = event.detail.requestConfig.elt;
  if (of.matches("form[data-draft]") && event.detail.xhr.getResponseHeader("RQ-Kept")) sessionStorage.removeItem(slot(of));
});
document.addEventListener("htmx:afterSwap", restore);
restore();
