"use strict";
// The charts are the server's; here are their keys, and a new look at them every few minutes.

const RELOAD_MS = 300000;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "t") changeTheme();
  if (event.key === "Escape" || event.key === "d") location.assign("/");
});

setInterval(() => {
  if (!document.hidden && !document.querySelector("details[open]")) location.reload();
}, RELOAD_MS);
