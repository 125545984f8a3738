// Keeps relative times true while a page stays open, and shows the exact one in the viewer's own zone.
const SPACE = "\u00a0";
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const zoneName = zone.replaceAll("_", " ");
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

export function span(seconds) {
  if (seconds < 59.5) return `${Math.round(seconds)}${SPACE}s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes}${SPACE}min`;
  if (minutes < 24 * 60) return two(minutes, 60, "h", "min");
  const hours = Math.round(seconds / 3600);
  return hours < 14 * 24 ? two(hours, 24, "d", "h") : `${Math.floor(hours / 24)}${SPACE}d`;
}

function two(amount, size, unit, smaller) {
  const rest = amount % size;
  return `${Math.floor(amount / size)}${SPACE}${unit}` + (rest ? ` ${rest}${SPACE}${smaller}` : "");
}

const WORDS = {
  ago: (s) => (Math.abs(s) < 45 ? (s <= 5 ? "just now" : "in a moment") : s > 0 ? `in ${span(s)}` : `${span(-s)} ago`),
  due: (s) => (Math.abs(s) < 45 ? "due now" : s > 0 ? `due in ${span(s)}` : `${span(-s)} late`),
  left: (s) => (s > 0 ? span(s) : "no time"),
};

// The server's clock counts, so that a wrong one here misleads nobody.
const served = document.querySelector("meta[name=now]");
const offset = served ? new Date(served.content).getTime() - Date.now() : 0;

export function serverNow() {
  return Date.now() + offset;
}

export function refresh() {
  const now = serverNow();
  for (const time of document.querySelectorAll("time[data-relative]")) {
    const at = new Date(time.dateTime);
    const words = WORDS[time.dataset.relative]((at.getTime() - now) / 1000);
    if (time.textContent !== words) time.textContent = words;
    time.title = exact.format(at);
  }
  for (const button of document.querySelectorAll("[data-before]")) button.disabled = new Date(button.dataset.before) <= now;
  for (const field of document.querySelectorAll("[data-zone]")) field.value = zone;
  for (const named of document.querySelectorAll("[data-zone-name]")) {
    if (named.textContent !== zoneName) named.textContent = zoneName;
  }
  for (const element of document.querySelectorAll("[data-until]")) element.hidden = new Date(element.dataset.until) <= now;
}

refresh();
setInterval(refresh, 5_000);
document.addEventListener("htmx:afterSwap", refresh);
document.addEventListener("rq:changed", refresh);
