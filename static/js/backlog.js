// Refreshes the backlog in place: what has the focus, the current row and the scroll position stay.
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
  if (answer.status === 304) return;
  if (answer.headers.get("HX-Redirect")) {
    location.assign(answer.headers.get("HX-Redirect"));
    return;
  }
  if (!answer.ok || answer.status === 204) throw new Error(`status ${answer.status}`);
  etag = answer.headers.get("ETag");
  morph(await answer.text());
}

function morph(html) {
  window.Idiomorph.morph(body, html, {
    morphStyle: "innerHTML",
    ignoreActiveValue: true, // else a refresh wipes what is being typed
    callbacks: {
      beforeAttributeUpdated: (name, node) => !(name === "aria-current" && node.matches("tr")) && !(name === "open" && node.matches("details")),
    },
  });
  document.dispatchEvent(new CustomEvent("rq:changed"));
}

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
