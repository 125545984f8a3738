// The bell: asks how many notifications are unread, which costs a 304 while nothing changes.
const EVERY = 15_000;
const bell = document.querySelector("[data-bell]");
let etag = null;

async function look() {
  if (document.hidden) return;
  const answer = await fetch(bell.dataset.bell, { headers: etag ? { "If-None-Match": etag } : {}, cache: "no-store" });
  if (answer.status !== 200 || !answer.headers.get("Content-Type")?.includes("json")) return;
  etag = answer.headers.get("ETag");
  const { unread } = await answer.json();
  bell.querySelector("[data-bell-count]").textContent = unread ? String(unread) : "";
  bell.querySelector("[data-bell-words]").textContent = unread ? " unread notifications" : "Notifications";
}

async function tick() {
  await look().catch(() => {});
  setTimeout(tick, EVERY);
}

if (bell) {
  setTimeout(tick, EVERY);
  document.addEventListener("visibilitychange", () => document.hidden || look().catch(() => {}));
}
