// Refreshes the backlog in place, and acts on its rows without leaving: focus, the current row, what is chosen, what is
// typed and the scroll position stay.
import "./many.js";
import { notify } from "./notices.js";
import { enterRow } from "./popovers.js";
import { refresh as refreshTimes } from "./times.js";

const EVERY = 5_000;
const body = document.querySelector("[data-refresh]");
let etag = body?.dataset.etag || null;
let failures = 0;

async function refresh() {
  if (document.hidden || document.querySelector("dialog[open]")) return;
  const answer = await fetch(body.dataset.refresh + location.search, {
    headers: { "HX-Request": "true", ...(etag ? { "If-None-Match": etag } : {}) },
    cache: "no-store",
  });
  if (answer.status === 304 || ledAway(answer)) return;
  if (!answer.ok || answer.status === 204) throw new Error(`status ${answer.status}`);
  etag = answer.headers.get("ETag");
  morph(await answer.text());
}

function ledAway(answer) {
  const address = answer.headers.get("HX-Redirect");
  if (address) location.assign(address);
  return Boolean(address);
}

// What people changed on the page is theirs: the server's answer knows nothing of it.
function isOurs(name, node) {
  if (name === "aria-current") return node.matches("tr");
  if (name === "open") return node.matches("details");
  return name === "checked" && node.matches("input");
}

function morph(html) {
  const place = currentPlace();
  window.Idiomorph.morph(body, html, {
    morphStyle: "innerHTML",
    ignoreActiveValue: true, // else a refresh wipes what is being typed
    callbacks: { beforeAttributeUpdated: (name, node) => !isOurs(name, node) },
  });
  restore(place);
  document.dispatchEvent(new CustomEvent("rq:changed"));
}

function rows() {
  return [...body.querySelectorAll("[data-rows] > tr")];
}

function currentPlace() {
  const row = document.activeElement?.closest?.("[data-rows] > tr");
  return row ? { id: row.id, number: rows().indexOf(row) } : null;
}

// The button that was pressed may be gone, and its row too: then the focus goes on to what took their place.
function restore(place) {
  if (!place || document.activeElement !== document.body) return;
  const row = document.getElementById(place.id) ?? rows()[Math.min(place.number, rows().length - 1)];
  row?.querySelector("a[href]")?.focus({ preventScroll: true });
}

async function act(form, button) {
  const answer = await fetch(form.action, {
    method: "POST",
    body: new FormData(form, button),
    headers: { "HX-Request": "true" },
  });
  if (ledAway(answer)) return;
  if (!answer.headers.get("Content-Type")?.includes("json")) throw new Error(`status ${answer.status}`);
  const { kind, text } = await answer.json();
  notify(kind, text);
  if (kind !== "done") return;
  const more = form.closest("details");
  if (more) {
    more.querySelector("summary").focus({ preventScroll: true });
    more.open = false;
  }
  form.reset();
  await refresh();
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-in-place]")) return;
  event.preventDefault();
  const form = event.target;
  if (form.ariaBusy === "true") return;
  form.ariaBusy = "true";
  act(form, event.submitter)
    .catch(() => notify("error", "The server cannot be reached. Look whether it was done before you try again."))
    .finally(() => (form.ariaBusy = null));
});

// What opens in a row takes the focus, so that the next key goes on there; Escape closes it.
document.addEventListener("toggle", (event) => {
  const more = event.target;
  if (!more.matches?.("details.row-more") || !more.open) return;
  for (const other of body.querySelectorAll("details.row-more[open]")) other.open = other === more;
  if (!more.contains(document.activeElement) || document.activeElement.matches("summary")) enterRow(more);
}, true);
// Enter in a field sends what it belongs to; the browser would press the form's first button.
document.addEventListener("keydown", (event) => {
  const part = event.key === "Enter" && event.target.matches?.("input") && event.target.closest("[data-in-place] [data-sends]");
  if (!part) return;
  event.preventDefault();
  part.querySelector("button").click();
});
document.addEventListener("keydown", (event) => {
  const more = event.key === "Escape" && event.target.closest?.("details.row-more[open]");
  if (!more) return;
  more.open = false;
  more.querySelector("summary").focus();
});

async function tick() {
  try {
    await refresh();
    failures = 0;
  } catch {
    failures += 1;
  }
  const stale = document.querySelector("[data-stale]");
  if (stale) stale.hidden = failures < 2;
  refreshTimes();
  setTimeout(tick, EVERY * Math.min(6, 1 + failures));
}

if (body) {
  setTimeout(tick, EVERY);
  document.addEventListener("visibilitychange", () => document.hidden || refresh().catch(() => {}));
}
