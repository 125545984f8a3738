// A digit chooses: in the group that is on, first the suggestion's enum, then the reason for the change. Where the whole
// answer is one label (`data-label`), the digit that names it decides.
import { isTyping, keysAreOn } from "./keys.js";
import { openPopover } from "./popovers.js";

const PAUSE = 600;
let active = null;
let typed = "";
let timer = 0;
let rejecting = false;

function groups() {
  return [...document.querySelectorAll("[data-digits]")].filter((group) => group.checkVisibility());
}

function isReasons(group) {
  return group.matches("[data-reasons]");
}

function turnOn(group) {
  active = group;
  typed = "";
  for (const other of groups()) other.classList.toggle("digits-on", other === group);
}

function start() {
  rejecting = false;
  showReasons("edit");
  turnOn(home());
}

// A label first; once something is changed, the reason for it. Where a digit decides, the next one is about the label again.
function home() {
  const all = groups();
  if (label()) return label();
  return (document.querySelector("[data-field].changed") && all.find(isReasons)) || all[0] || null;
}

// Reasons are offered for the verdict that is being given.
function showReasons(verdict) {
  const group = document.querySelector("[data-reasons]");
  if (!group) return;
  let shown = 0;
  for (const choice of group.querySelectorAll(".choice")) {
    choice.hidden = !choice.dataset.for.split(" ").includes(verdict);
    const digit = choice.querySelector("kbd");
    if (!choice.hidden && digit) digit.textContent = String((shown += 1));
    const input = choice.querySelector("input");
    if (choice.hidden) input.checked = false;
  }
  group.closest("fieldset").hidden = shown === 0;
}

function label() {
  return groups().find((group) => group.closest("[data-label]") && !isReasons(group));
}

function choices(group) {
  return [...group.querySelectorAll(".choice")].filter((choice) => !choice.hidden);
}

function press(digit) {
  const available = choices(active);
  typed += digit;
  clearTimeout(timer);
  // Another digit may follow only if it could still name a choice.
  if (Number(typed) * 10 <= available.length) timer = setTimeout(() => choose(available), PAUSE);
  else choose(available);
}

function choose(available) {
  const choice = available[Number(typed) - 1];
  typed = "";
  if (!choice) return;
  const input = choice.querySelector("input");
  if (input.disabled) return;
  input.checked = true;
  input.dispatchEvent(new Event("input", { bubbles: true }));
  input.dispatchEvent(new Event("change", { bubbles: true }));
  if (isReasons(active)) {
    if (rejecting) submit("reject");
    return;
  }
  input.focus({ preventScroll: true }); // another digit corrects it, Tab goes on to the next row
  if (active === label()) decide(input.value === active.dataset.original);
}

// The suggested label accepts, another edits; before the suggestion is shown, either is the answer it is compared with.
function decide(asSuggested) {
  const answer = document.querySelector("form[data-draft] [data-answer]");
  if (answer) answer.click();
  else submit(asSuggested ? "accept" : "edit");
}

function submit(verdict) {
  document.querySelector(`form[data-draft] button[name=verdict][value=${verdict}]`)?.click();
}

// A reject asks for its reason by number before it is sent.
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[name=verdict][value=reject]");
  const reasons = document.querySelector("[data-reasons]");
  if (!button || !reasons) return;
  showReasons("reject");
  const chosen = choices(reasons).some((choice) => choice.querySelector("input").checked);
  if (rejecting || chosen || !choices(reasons).length) return;
  event.preventDefault();
  rejecting = true;
  const fieldset = reasons.closest("fieldset");
  fieldset.classList.add("asked");
  fieldset.scrollIntoView({ block: "nearest" });
  choices(reasons)[0].querySelector("input").focus();
  turnOn(reasons);
});

document.addEventListener("rq:leave", () => {
  document.querySelector(".reasons.asked")?.classList.remove("asked");
  start();
});
document.addEventListener("input", (event) => {
  const field = event.target.closest("[data-field]");
  if (field && !field.querySelector("[data-digits]")) turnOn(groups().find(isReasons) ?? active);
});
document.addEventListener("focusin", (event) => {
  const group = event.target.closest("[data-digits]");
  if (group && group !== active) turnOn(group);
});
// A digit that another might follow counts at once when any other key comes: it must not be left out of what is sent. Where
// it decides by itself, that other key was meant for the same item and is spent; Escape takes the digit back.
document.addEventListener("keydown", (event) => {
  if (!typed || !active?.isConnected || /^[0-9]$/.test(event.key) || ["Control", "Meta", "Shift", "Alt"].includes(event.key)) return;
  clearTimeout(timer);
  const decides = active === label();
  if (decides && event.key === "Escape") typed = "";
  else choose(choices(active));
  if (!decides) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);
document.addEventListener("keydown", (event) => {
  if (!keysAreOn() || !active?.isConnected || isTyping(event.target) || document.querySelector("dialog[open]") || openPopover()) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || !/^[0-9]$/.test(event.key)) return;
  if (event.key === "0" && !typed) return; // alone it fits the image
  event.preventDefault();
  event.stopImmediatePropagation();
  press(event.key);
}, true);
document.addEventListener("htmx:afterSwap", start);
start();
