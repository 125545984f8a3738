// Shows beside each control what the person changed, word by word, as they type.
import { DIFF_DELETE, DIFF_EQUAL, DIFF_INSERT, diff, diffCleanupSemantic } from "../vendor/diff-match-patch.js";

const TIME_LIMIT = 0.1; // seconds; beyond it the difference is coarser, and typing stays smooth
const WORDS = /\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu;

const MOST_WORDS = 0xd000; // different ones; each becomes one UTF-16 unit below the surrogates

function words(before, after) {
  const known = new Map();
  const encode = (text) => (text.match(WORDS) || []).map((word) => {
    if (!known.has(word)) known.set(word, String.fromCharCode(known.size + 1));
    return known.get(word);
  }).join("");
  const encoded = [encode(before), encode(after)];
  if (known.size > MOST_WORDS) return [[DIFF_DELETE, before], [DIFF_INSERT, after]];
  const found = diff(...encoded, { diffTimeout: TIME_LIMIT }, false);
  diffCleanupSemantic(found);
  const spelled = new Map([...known].map(([word, sign]) => [sign, word]));
  return found.map(([op, signs]) => [op, [...signs].map((sign) => spelled.get(sign)).join("")]);
}

// Of a short text the letters tell more, as in "MillCafe" and "Mill Cafe"; many pieces are harder to read than words.
function pieces(before, after) {
  if (before.length + after.length < 400) {
    const letters = diff(before, after, { diffTimeout: TIME_LIMIT }, false);
    if (letters.length <= 4) return letters;
  }
  return words(before, after);
}

function show(target, before, after) {
  if (before === after) {
    target.replaceChildren();
    return;
  }
  target.replaceChildren(
    ...pieces(before, after).map(([op, text]) => {
      if (op === DIFF_EQUAL) return document.createTextNode(text);
      const piece = document.createElement(op === DIFF_INSERT ? "ins" : op === DIFF_DELETE ? "del" : "span");
      piece.textContent = text;
      return piece;
    }),
  );
}

function value(control) {
  if (!control.matches(".choices")) return control.value;
  return control.querySelector("input:checked")?.value ?? control.dataset.original;
}

function update(control) {
  const field = control.closest("[data-field]");
  const before = control.dataset.original;
  const after = value(control);
  field?.classList.toggle("changed", before !== after);
  const was = field?.querySelector("[data-was]");
  if (was && !control.matches(".choices")) show(was, before, after);
}

function updateAll() {
  document.querySelectorAll("form[data-draft] [data-original]").forEach(update);
  offerEdit();
}

// "Save edit" is offered once there is one; "Accept as is" says that typed changes would be left out.
function offerEdit() {
  const form = document.querySelector("form[data-draft]");
  if (!form) return;
  const changed = [...form.querySelectorAll("[data-original]")].some((control) => value(control) !== control.dataset.original);
  form.classList.toggle("edited", changed);
  const edit = document.querySelector("button[name=verdict][value=edit]");
  if (edit && !edit.hasAttribute("data-always")) edit.disabled = !changed;
}

let frame = 0;
document.addEventListener("input", (event) => {
  const control = event.target.closest("[data-original]");
  if (!control) return;
  offerEdit(); // at once: Ctrl+Enter may follow before the next frame
  cancelAnimationFrame(frame);
  frame = requestAnimationFrame(() => update(control));
});
document.addEventListener("htmx:afterSwap", updateAll);
document.addEventListener("rq:restored", updateAll);
updateAll();
