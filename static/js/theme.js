// Applies a chosen theme before the first paint, and marks that scripts run. A classic script on purpose.
(function () {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");
  const order = ["system", "light", "dark"];
  const ofAccount = root.dataset.theme || "system";

  function chosen() {
    try {
      return order.includes(localStorage.getItem("rq-theme")) ? localStorage.getItem("rq-theme") : ofAccount;
    } catch {
      return ofAccount; // storage may be forbidden; the page works without
    }
  }

  function apply(theme) {
    if (theme === "system") delete root.dataset.theme;
    else root.dataset.theme = theme;
    for (const name of document.querySelectorAll("[data-theme-name]")) name.textContent = theme;
  }

  apply(chosen());
  document.addEventListener("DOMContentLoaded", () => apply(chosen()));
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-switch]")) return;
    const next = order[(order.indexOf(root.dataset.theme || "system") + 1) % order.length];
    try {
      localStorage.setItem("rq-theme", next);
    } catch {
      // the choice then lasts for this page
    }
    apply(next);
  });
})();
