// One act on many items: says on the spot what is still to be chosen, in the list and on the preview.
import { notify } from "./notices.js";

document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-many]") || new FormData(event.target).has("chosen")) return;
  event.preventDefault();
  notify("late", "Choose at least one item first: the boxes stand before each, and v chooses the current row.");
});
// The browser's own bubble goes away by itself, and is not seen by everybody.
document.addEventListener("invalid", (event) => {
  const group = event.target.closest("[data-missing]");
  if (group) notify("late", group.dataset.missing);
}, true);
