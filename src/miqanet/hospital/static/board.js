"use strict";
// Keeps the list up to date, shows the series that is chosen or, while none is, the last one to repeat.

const POLL_MS = 3000;
const LONGEST_ANSWER_MS = 10000;
const live = document.getElementById("live");
const detail = document.getElementById("detail");
const updated = document.getElementById("updated");
const lost = document.getElementById("lost");
const announcement = document.getElementById("announcement");
const enlarged = document.getElementById("enlarged");
const keys = document.getElementById("keys");

let chosen = detail.dataset.chosen ?? null; // null: follow what comes in
let lastText = null;
let lastDetail = null;
let lastSuccess = new Date();
let updating = false;
let coming = null; // which series is asked for, in which version; an answer about another one is void

const rows = () => [...live.querySelectorAll("tbody tr")];
const rowOf = (id) => document.getElementById(`s${id}`);
const shown = () => detail.querySelector("article");
const clock = (time) => time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });

/** Return the elements of a piece of page that the server has written; scripts in it, if there were any, do not run. */
function parse(text) {
  return [...new DOMParser().parseFromString(text, "text/html").body.childNodes];
}

async function ask(address) {
  const signal = AbortSignal.timeout(LONGEST_ANSWER_MS);
  const answer = await fetch(address, { headers: { Accept: "text/html" }, cache: "no-store", redirect: "error", signal });
  if (answer.status === 401) location.assign("/login");
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.text();
}

async function update() {
  if (document.hidden || updating) return;
  updating = true;
  try {
    const text = await ask(live.dataset.address);
    lastSuccess = new Date();
    lost.hidden = true;
    updated.textContent = `Updated ${clock(lastSuccess)}`;
    if (text !== lastText) replaceList(text);
  } catch {
    lost.textContent = `No answer from the node since ${clock(lastSuccess)}: what is shown may be old.`;
    lost.hidden = false;
    updated.textContent = "";
  } finally {
    updating = false;
  }
  showDetail();
  showTimes();
}

function replaceList(text) {
  const first = lastText === null;
  lastText = text;
  const before = new Map(rows().map((row) => [row.dataset.id, row.dataset.word]));
  const focused = document.activeElement?.closest?.("#live tr")?.dataset.id;
  live.replaceChildren(...parse(text));
  const toRepeat = [];
  for (const row of rows()) {
    if (first || before.get(row.dataset.id) === row.dataset.word) continue;
    row.classList.add("arrived");
    if (row.dataset.word === "repeat") toRepeat.push(row);
  }
  if (toRepeat.length) announcement.textContent = `${toRepeat.length} more series to repeat`;
  if (focused) rowOf(focused)?.querySelector("a")?.focus({ preventScroll: true });
}

/** Return the id of the series to show where nobody has chosen one. */
function toFollow() {
  return (live.querySelector("tr[data-word=repeat]") ?? live.querySelector("tbody tr"))?.dataset.id ?? null;
}

/** Show the series that is to be shown, if it is another one or has changed. */
async function showDetail() {
  const id = chosen ?? toFollow();
  for (const row of rows()) {
    if (row.dataset.id === id) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
  const before = shown();
  const version = rowOf(id)?.dataset.version ?? before?.dataset.version;
  const wanted = `${id} ${version}`;
  if (id === null) detail.replaceChildren();
  if (id === null || (before?.dataset.shown === id && before.dataset.version === version && !before.dataset.onTheWay)) coming = null;
  else if (wanted !== coming) {
    coming = wanted;
    try {
      const text = await ask(`/series/${id}`);
      if (wanted !== coming || (before?.dataset.shown === id && text === lastDetail)) return;
      lastDetail = text;
      const top = shown()?.dataset.shown === id ? detail.scrollTop : 0;
      detail.replaceChildren(...parse(text));
      detail.scrollTop = top;
      showTimes();
    } catch {
      // The next update tries again; another series' panel would be taken for this one's.
      if (wanted === coming && before?.dataset.shown !== id) detail.replaceChildren();
    } finally {
      if (wanted === coming) coming = null;
    }
  }
}

function choose(id) {
  chosen = id;
  const address = new URL(location.href);
  if (id === null) address.searchParams.delete("series");
  else address.searchParams.set("series", id);
  history.replaceState(null, "", address);
  if (id !== null) {
    const link = rowOf(id)?.querySelector("a");
    link?.focus({ preventScroll: true });
    link?.closest("tr").scrollIntoView({ block: "nearest" });
  }
  showDetail();
}

function step(by) {
  const all = rows();
  if (!all.length) return;
  const now = all.findIndex((row) => row.dataset.id === (chosen ?? toFollow()));
  const next = chosen === null && now < 0 ? 0 : Math.min(all.length - 1, Math.max(0, now + by));
  choose(all[next].dataset.id);
}

function stepToRepeat() {
  const all = rows();
  const now = all.findIndex((row) => row.dataset.id === chosen);
  const order = [...all.slice(now + 1), ...all.slice(0, now + 1)];
  const next = order.find((row) => row.dataset.word === "repeat");
  if (next) choose(next.dataset.id);
}

/** Show times by the clock on this wall, which need not be the node's, and how long they are ago. */
function showTimes() {
  for (const time of document.querySelectorAll("time")) {
    const moment = new Date(time.dateTime);
    time.textContent = clock(moment);
    const minutes = Math.floor((Date.now() - moment) / 60000);
    const age = time.nextElementSibling;
    if (minutes < 1) age.textContent = "now";
    else if (minutes < 60) age.textContent = `${minutes} min`;
    else if (minutes < 24 * 60) age.textContent = `${Math.floor(minutes / 60)} h`;
    else age.textContent = moment.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  }
}

function switchHeat() {
  const off = document.body.classList.toggle("no-heat");
  for (const button of document.querySelectorAll("[data-action=heat]")) button.setAttribute("aria-pressed", String(!off));
}

function enlarge() {
  const figure = detail.querySelector("figure");
  if (!figure || enlarged.open) return;
  const copy = figure.cloneNode(true);
  const picture = copy.querySelector(".picture");
  picture.dataset.action = "close";
  picture.title = "Close (Esc)";
  enlarged.firstElementChild.replaceChildren(copy);
  enlarged.showModal();
}

function nextVerdict() {
  const links = [...live.querySelectorAll(".chips a")];
  const now = links.findIndex((link) => link.hasAttribute("aria-current"));
  location.assign(links[(now + 1) % links.length].href);
}

const KEYS = {
  ArrowDown: () => step(1), j: () => step(1),
  ArrowUp: () => step(-1), k: () => step(-1),
  n: stepToRepeat,
  Escape: () => choose(null),
  Enter: enlarge,
  h: switchHeat,
  f: nextVerdict,
  s: () => document.getElementById("scanner").focus(),
  "/": () => document.getElementById("accession").focus(),
  d: () => location.assign("/drift"),
  t: () => changeTheme(),
  "?": () => keys.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.target;
  if (target.closest("input, select")) {
    if (event.key === "Escape") target.blur();
    return;
  }
  if (document.querySelector("dialog[open]") && event.key !== "h") return;
  // On what can be pressed, Enter presses it; on a series, it enlarges the picture.
  if (event.key === "Enter" && target.closest("a, button, summary") && !target.closest("tbody")) return;
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

document.addEventListener("click", (event) => {
  const action = event.target.closest("[data-action]")?.dataset.action;
  if (action === "heat") switchHeat();
  else if (action === "enlarge") enlarge();
  else if (action === "close") event.target.closest("dialog").close();
  else if (event.target.closest("#help")) keys.showModal();
  const row = event.target.closest("#live tbody tr");
  if (!row || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  choose(row.dataset.id);
});

document.getElementById("scanner").addEventListener("change", (event) => event.target.form.requestSubmit());
document.addEventListener("visibilitychange", update);

// Choosing a scanner shows it at once, and Enter an accession number.
document.querySelector(".tools button").hidden = true;
showDetail();
showTimes();
update();
setInterval(update, POLL_MS);
