// Shows the API's description, with everything loaded from here. Keys typed in are forgotten with the page.
const place = document.getElementById("api");
const root = document.documentElement;
const system = window.matchMedia("(prefers-color-scheme: dark)");

const UNNAMED = [
  [".information-container", { role: "banner" }],
  [".modal-ux", { role: "dialog", "aria-modal": "true", "aria-label": "Your key" }],
  [".close-modal", { "aria-label": "Close" }],
];

function followTheme() {
  root.classList.toggle("dark-mode", root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
}

// What swagger-ui's markup leaves out for who sees or points otherwise; it draws anew, so this looks again.
function mend() {
  // Its headings leave out the second level.
  for (const heading of place.querySelectorAll(":is(h3, h4, h5):not([aria-level])")) {
    heading.setAttribute("aria-level", String(Number(heading.localName[1]) - 1));
  }
  for (const [selector, attributes] of UNNAMED) {
    for (const part of place.querySelectorAll(selector)) {
      for (const [name, value] of Object.entries(attributes)) if (!part.hasAttribute(name)) part.setAttribute(name, value);
    }
  }
  for (const table of place.querySelectorAll("table.responses-table[id]:not([aria-label])")) {
    table.setAttribute("aria-label", table.id.replaceAll("_", " "));
  }
  // A link in a button cannot be reached; the button does the same and sets the address too.
  for (const link of place.querySelectorAll(".opblock-summary-control a[href]")) link.removeAttribute("href");
  for (const example of place.querySelectorAll("pre:not([tabindex])")) example.tabIndex = 0;
  for (const control of place.querySelectorAll("[data-param-name] :is(select, input, textarea):not([aria-label])")) {
    control.setAttribute("aria-label", control.closest("[data-param-name]").dataset.paramName);
  }
}

followTheme();
system.addEventListener("change", followTheme);
document.addEventListener("DOMContentLoaded", followTheme);
new MutationObserver(mend).observe(place, { childList: true, subtree: true });
window.SwaggerUIBundle({
  domNode: place,
  url: place.dataset.document,
  deepLinking: true,
  validatorUrl: null,
  persistAuthorization: false,
});
