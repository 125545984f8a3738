// Zoom, pan and rotate for images of evidence. Sizes change by CSSOM, which the content policy allows.
const STEPS = [1, 1.5, 2, 3, 4, 6, 8];
const views = new WeakMap();

function view(stage) {
  if (!views.has(stage)) views.set(stage, { step: 0, turn: 0, x: 0, y: 0 });
  return views.get(stage);
}

function apply(stage) {
  const { step, turn, x, y } = view(stage);
  stage.classList.toggle("zoomed", step > 0);
  stage.querySelector("img").style.transform = `translate(${x}px, ${y}px) rotate(${turn}deg) scale(${STEPS[step]})`;
}

function change(stage, how) {
  const now = view(stage);
  if (how === "in") now.step = Math.min(STEPS.length - 1, now.step + 1);
  if (how === "out") now.step = Math.max(0, now.step - 1);
  if (how === "turn") now.turn = (now.turn + 90) % 360;
  if (how === "fit") now.step = now.turn = 0;
  if (now.step === 0) now.x = now.y = 0;
  apply(stage);
}

document.addEventListener("click", (event) => {
  const tool = event.target.closest("[data-zoom]");
  const stage = tool?.closest(".block")?.querySelector("[data-stage]");
  if (stage) change(stage, tool.dataset.zoom);
});

document.addEventListener(
  "wheel",
  (event) => {
    const stage = event.target.closest("[data-stage]");
    if (!stage || !event.ctrlKey) return; // without Ctrl the wheel scrolls the column
    event.preventDefault();
    change(stage, event.deltaY < 0 ? "in" : "out");
  },
  { passive: false },
);

document.addEventListener("pointerdown", (event) => {
  const stage = event.target.closest("[data-stage].zoomed");
  if (!stage) return;
  const now = view(stage);
  const from = { x: event.clientX - now.x, y: event.clientY - now.y };
  stage.setPointerCapture(event.pointerId);
  const drag = (moved) => {
    now.x = moved.clientX - from.x;
    now.y = moved.clientY - from.y;
    apply(stage);
  };
  stage.addEventListener("pointermove", drag);
  stage.addEventListener("lostpointercapture", () => stage.removeEventListener("pointermove", drag), { once: true });
});

document.addEventListener("keydown", (event) => {
  const stage = event.target.closest?.("[data-stage].zoomed");
  const by = { ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] }[event.key];
  if (!stage || !by) return;
  event.preventDefault();
  view(stage).x += by[0];
  view(stage).y += by[1];
  apply(stage);
});
