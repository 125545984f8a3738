// What every page has: keys, their help, dialogs, times, lists to walk through, and honest failures.
import "./keys.js";
import "./help.js";
import "./dialogs.js";
import "./rows.js";
import "./bell.js";
import "./times.js";
import { notify } from "./notices.js";

document.addEventListener("htmx:sendError", () => notify("error", "The server cannot be reached. What you typed is kept; try again in a moment."));
document.addEventListener("htmx:timeout", () => notify("error", "The server took too long to answer. Look whether it was done before you try again."));
document.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status;
  const said = status === 404 ? "That is no longer here." : status === 403 ? "You may not do that." : status === 429 ? "Too many requests; wait a moment." : "Something went wrong on the server.";
  notify("error", `${said} (${status}) What you typed is kept.`);
});
