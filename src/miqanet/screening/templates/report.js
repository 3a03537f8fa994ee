"use strict";
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

  const cards = $$(".card");
  const troubleRows = $$(".troubles tbody tr");
  const everyError = $(".troubles.errors .count")?.textContent ?? "0";
  const chips = $$("[data-verdict]");
  const search = $("#search"), kind = $("#kind"), viewer = $("#viewer"), keys = $("#keys");
  let verdict = "all";
  let shown = cards;
  let current = null;

  const tests = {
    all: () => true,
    low: (card) => card.dataset.quality === "low",
    high: (card) => card.dataset.quality === "high",
    review: (card) => card.dataset.review === "true",
    error: () => false,
  };

  // ---- filters

  function fits(card) {
    const text = search.value.trim().toLowerCase();
    return (!kind.value || card.dataset.kinds.split(" ").includes(kind.value))
      && card.dataset.path.toLowerCase().includes(text);
  }

  function filter() {
    const text = search.value.trim().toLowerCase();
    const fitting = cards.filter(fits);
    shown = fitting.filter(tests[verdict]);
    const visible = new Set(shown);
    for (const card of cards) card.hidden = !visible.has(card);
    for (const group of $$(".group")) group.hidden = !$(".card:not([hidden])", group);
    const rows = troubleRows.filter((row) => row.dataset.path.toLowerCase().includes(text));
    for (const row of troubleRows) row.hidden = !rows.includes(row);
    const errors = text ? rows.filter((row) => row.closest(".errors")).length : everyError;
    for (const chip of chips) {
      const value = chip.dataset.verdict;
      chip.setAttribute("aria-pressed", String(value === verdict));
      $(".count", chip).textContent = value === "error" ? errors : fitting.filter(tests[value]).length;
    }
    const onErrors = verdict === "error";
    if (onErrors) for (const table of $$(".troubles")) table.open = true;
    $(".nothing").hidden = onErrors || shown.length > 0;
    $("#troubles").hidden = verdict !== "all" && !onErrors;
    const count = onErrors ? rows.length : shown.length;
    const everything = onErrors ? troubleRows.length : cards.length;
    $("#shown").textContent = count < everything ? `${count} of ${everything} fit the filter.` : "";
    select(shown.includes(current) ? current : shown[0] ?? null, false);
  }

  function setVerdict(value) {
    verdict = value;
    filter();
  }

  function setKind(value) {
    kind.value = value;
    if (verdict === "error") verdict = "all";
    filter();
  }

  // ---- stepping through: one card is in the tab order, arrows move it

  function select(card, focus = true) {
    if (current) $(".open", current).tabIndex = -1;
    current = card;
    if (!card) return;
    const button = $(".open", card);
    button.tabIndex = 0;
    if (viewer.open) show(card);
    else if (focus) {
      button.focus({ preventScroll: true });
      card.scrollIntoView({ block: "nearest" });
    }
  }

  function step(by) {
    if (!shown.length) return;
    const started = viewer.open || document.activeElement?.closest(".card") === current;
    const index = shown.indexOf(current) + (started ? by : 0);
    select(shown[Math.min(Math.max(index, 0), shown.length - 1)]);
  }

  function stepRow(direction) {
    if (viewer.open || !shown.length) return step(direction);
    if (document.activeElement?.closest(".card") !== current) return step(0);
    const here = current.getBoundingClientRect();
    const beyond = shown
      .map((card) => ({ card, box: card.getBoundingClientRect() }))
      .filter(({ box }) => direction * (box.top - here.top) > 4);
    if (!beyond.length) return;
    const nearest = beyond.reduce((best, { box }) => Math.min(best, Math.abs(box.top - here.top)), Infinity);
    const row = beyond.filter(({ box }) => Math.abs(Math.abs(box.top - here.top) - nearest) < 4);
    row.sort((a, b) => Math.abs(a.box.left - here.left) - Math.abs(b.box.left - here.left));
    select(row[0].card);
  }

  // ---- one image, enlarged

  function show(card) {
    $(".stage .picture").replaceChildren(...$$(".picture > *", card).map((node) => node.cloneNode(true)));
    $("#facts").replaceChildren(...[...$(".detail", card).childNodes].map((node) => node.cloneNode(true)));
    $("#facts").scrollTop = 0;
    const index = shown.indexOf(card);
    $("#position").textContent = `${index + 1} of ${shown.length}`;
    $("#previous").disabled = index <= 0;
    $("#next").disabled = index >= shown.length - 1;
  }

  function enlarge(card) {
    select(card);
    show(card);
    if (!viewer.open) viewer.showModal();
    $("#next").focus();
  }

  viewer.addEventListener("close", () => current && select(current));

  function toggleHeat() {
    const on = document.body.classList.toggle("heat-on");
    for (const button of [$("#heat"), $(".heat-button")]) button.setAttribute("aria-pressed", String(on));
  }

  // ---- events

  for (const card of cards) {
    $(".open", card).tabIndex = -1;
    $(".open", card).addEventListener("click", () => enlarge(card));
  }
  for (const chip of chips) chip.addEventListener("click", () => setVerdict(chip.dataset.verdict));
  for (const link of $$("[data-kind]")) {
    link.addEventListener("click", () => {
      setKind(link.dataset.kind);
      $("#images").scrollIntoView();
    });
  }
  for (const button of $$("dialog .close")) {
    button.addEventListener("click", () => button.closest("dialog").close());
  }
  for (const button of [$("#heat"), $(".heat-button")]) button.addEventListener("click", toggleHeat);
  for (const dialog of [viewer, keys]) {
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  }
  kind.addEventListener("change", () => setKind(kind.value));
  search.addEventListener("input", filter);
  $("#help").addEventListener("click", () => keys.showModal());
  $("#previous").addEventListener("click", () => step(-1));
  $("#next").addEventListener("click", () => step(1));
  $("#reset").addEventListener("click", () => {
    search.value = "";
    verdict = "all";
    setKind("");
  });

  const actions = {
    ArrowRight: () => step(1),
    j: () => step(1),
    ArrowLeft: () => step(-1),
    k: () => step(-1),
    ArrowDown: () => stepRow(1),
    ArrowUp: () => stepRow(-1),
    Home: () => shown.length && select(shown[0]),
    End: () => shown.length && select(shown.at(-1)),
    h: toggleHeat,
    f: () => !viewer.open && setVerdict(chips[(chips.findIndex((chip) => chip.dataset.verdict === verdict) + 1) % chips.length].dataset.verdict),
    "/": () => !viewer.open && search.focus(),
    "?": () => keys.showModal(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || keys.open) return;
    if (event.target === search) {
      if (event.key === "Escape" && !search.value) search.blur();
      if (event.key === "Enter") {
        event.preventDefault(); // or the key would press the image that it moves to
        step(0);
      }
      return;
    }
    if (event.target === kind) return;
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });

  filter();
})();
