// Takes what was typed along, where it can no longer be sent: each changed field with its name, and the comments.
import { notify } from "./notices.js";

function typed(form) {
  const changed = [...form.querySelectorAll("[data-field].changed")].map((field) => {
    const control = field.querySelector("input:checked")?.closest(".choice") ?? field.querySelector(".form-control");
    const text = control?.value ?? control?.querySelector("span")?.textContent ?? "";
    return [field.querySelector("label, legend").firstChild.textContent.trim(), text];
  });
  const words = [...form.querySelectorAll("textarea[name=comment], textarea[name=text]")].map((area) => ["", area.value]);
  return [...changed, ...words].filter(([, text]) => text).map(([name, text]) => (name ? `${name}: ${text}` : text)).join("\n");
}

// Only a secure page may write to the clipboard by itself; elsewhere the browser copies what is selected.
function copySelected(text) {
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

document.addEventListener("click", async (event) => {
  if (!event.target.closest("[data-copy-typed]")) return;
  const text = typed(document.querySelector("form[data-draft]"));
  if (!text) {
    notify("info", "You typed nothing here.");
    return;
  }
  const done = await navigator.clipboard?.writeText(text).then(() => true, () => false);
  if (done || copySelected(text)) notify("info", "Copied what you typed.");
  else notify("late", "The browser does not let this page copy: select the text in its field.");
});
