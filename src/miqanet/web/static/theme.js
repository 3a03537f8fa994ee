"use strict";
// Runs before the first paint, so that a dark room sees no white flash.
(() => {
  const root = document.documentElement;
  const preferred = matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
  root.dataset.theme = localStorage.getItem("theme") ?? preferred;
})();

/** Change between the light and the dark reading room, and remember it. */
function changeTheme() {
  const root = document.documentElement;
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-action=theme]")) changeTheme();
});
