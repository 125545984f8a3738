// Renews the claim while its holder is active, and says so when it is gone.
import { notify } from "./notices.js";

const EVERY = 60_000;
let activeAt = Date.now();
let said = "";

for (const sign of ["keydown", "pointerdown", "pointermove", "scroll", "input"]) {
  document.addEventListener(sign, () => (activeAt = Date.now()), { passive: true, capture: true });
}

async function renew() {
  const form = document.querySelector("form[data-renew]");
  if (!form || document.hidden || Date.now() - activeAt > EVERY) return;
  const body = new URLSearchParams({ claim_token: form.elements.claim_token.value });
  const answer = await fetch(form.dataset.renew, { method: "POST", body, headers: { "HX-Request": "true" } });
  if (answer.headers.get("HX-Redirect")) {
    tell("late", "Your session has ended. Sign in in another tab; what you typed is kept here.");
    return;
  }
  const told = answer.headers.get("Content-Type")?.includes("json") ? await answer.json() : {};
  if (answer.ok) {
    said = "";
    const until = document.querySelector("time[data-claim-until]");
    if (until && told.until) until.dateTime = told.until;
    document.dispatchEvent(new CustomEvent("rq:changed"));
  } else if (told.detail) {
    tell("late", told.detail);
  }
}

function tell(kind, text) {
  if (said !== text) notify(kind, text);
  said = text;
}

setInterval(() => renew().catch(() => {}), EVERY);
