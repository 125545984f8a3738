// Says something at the top of the page; the region is announced by screen readers.
const SYMBOLS = { error: "exclamation-triangle", late: "clock", done: "check-circle", info: "info-circle" };
const SVG = "http://www.w3.org/2000/svg";

export function notify(kind, text) {
  const region = document.getElementById("notices");
  const notice = document.createElement("div");
  notice.className = `notice ${kind}`;
  if (kind === "error") notice.setAttribute("role", "alert");
  const words = document.createElement("div");
  words.textContent = text;
  notice.append(icon(SYMBOLS[kind] || SYMBOLS.info), words);
  region.replaceChildren(notice);
}

function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("width", "16");
  svg.setAttribute("height", "16");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${new URL("../vendor/icons.svg", import.meta.url).pathname}#${name}`);
  svg.append(use);
  return svg;
}
