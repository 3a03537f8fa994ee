"use strict";
(() => {
  const $ = (selector) => document.querySelector(selector);
  const EVERY_MS = 5000;
  const LONGEST_ANSWER_MS = 30000;
  const NONE = "–";

  const share = (value) => (value === null ? NONE : `${(100 * value).toFixed(1)} %`);
  const coefficient = (value) => (value === null ? NONE : value.toFixed(3));
  const time = (iso) => (iso === null ? NONE : new Date(iso).toLocaleString([], { dateStyle: "short", timeStyle: "short" }));

  function figure(name, text) {
    $(`[data-figure=${name}]`).textContent = text;
  }

  function cell(content, { name = "td", className = "" } = {}) {
    const made = document.createElement(name);
    made.className = className;
    made.append(content);
    return made;
  }

  function doneOf({ rater, done, total }) {
    const bar = document.createElement("progress");
    bar.max = Math.max(total, 1);
    bar.value = done;
    bar.setAttribute("aria-label", `Done by ${rater}`);
    const box = cell(bar, { name: "div", className: "done" });
    box.append(`${done} of ${total}`);
    return box;
  }

  function rowOf(rater) {
    const row = document.createElement("tr");
    const name = cell(cell(rater.rater, { name: "bdi" }), { name: "th" });
    name.scope = "row";
    const number = (text) => cell(text, { className: "number" });
    row.append(
      name,
      cell(doneOf(rater)),
      number(rater.votes_per_minute?.toFixed(1) ?? NONE),
      number(share(rater.low_share)),
      number(share(rater.intra_rater_agreement)),
      cell(time(rater.last_vote)),
    );
    return row;
  }

  function show({ raters, agreement, images_complete: complete, images, ties }) {
    figure("images_complete", `${complete} of ${images}`);
    figure("ties", ties);
    figure("percent", share(agreement.percent));
    for (const name of ["fleiss_kappa", "alpha", "ac1"]) figure(name, coefficient(agreement[name]));
    $("#raters").replaceChildren(...raters.map(rowOf));
    $("#updated").textContent = `As of ${new Date().toLocaleTimeString()}`;
  }

  function complain(text) {
    $("#trouble").hidden = !text;
    $("#trouble").textContent = text;
  }

  let asking = false;

  async function refresh() {
    if (document.hidden || asking) return;
    asking = true;
    try {
      const answer = await fetch("/admin/api/progress", { cache: "no-store", signal: AbortSignal.timeout(LONGEST_ANSWER_MS) });
      const content = await answer.json();
      if (!answer.ok) throw new Error(content.error);
      show(content);
      complain("");
    } catch (error) {
      complain(`The figures are not up to date. ${error.message}`);
    } finally {
      asking = false;
    }
  }

  $("#leave").addEventListener("click", async () => {
    const headers = { "X-CSRF-Token": $("meta[name=csrf]").content };
    await fetch("/logout", { method: "POST", headers, redirect: "manual" });
    location.assign("/");
  });
  document.addEventListener("visibilitychange", refresh);
  setInterval(refresh, EVERY_MS);
  refresh();
})();
