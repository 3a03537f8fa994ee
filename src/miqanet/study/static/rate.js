"use strict";
(() => {
  const $ = (selector) => document.querySelector(selector);
  const $$ = (selector) => [...document.querySelectorAll(selector)];

  const config = JSON.parse($("#config").textContent);
  const csrf = $("meta[name=csrf]").content;
  const room = $(".room"), canvas = $("#picture"), keys = $("#keys");
  const persistence = new Persistence(showTrouble);
  const outbox = new Outbox(`${config.protocol_version} ${config.rater}`, csrf, persistence);
  const viewer = new Viewer(canvas, showView);

  /** What the server last said: current and next image, how many are done, whether a vote can be undone. */
  let work = null;
  /** The image in sight, what the rater remarked of it, and the last vote, should it be undone. */
  let item = null, tags = new Set(), confidence = null, last = null;
  /** A vote or an undo that the server has not answered yet. */
  let busy = false;
  /** What the button of the cover and that of the feedback do. */
  let go = () => {}, next = () => {};

  // ---- the time that the image is in sight

  const watch = {
    total: 0,
    since: null,
    get milliseconds() {
      return this.total + (this.since === null ? 0 : performance.now() - this.since);
    },
    run(running) {
      this.total = this.milliseconds;
      this.since = running ? performance.now() : null;
      clearTimeout(this.timer);
      const left = config.minimum_viewing_ms - this.total;
      room.dataset.early = String(left > 0);
      if (running && left > 0) this.timer = setTimeout(() => this.run(this.since !== null), left);
    },
    reset() {
      this.since = null;
      this.total = 0;
      this.run(false);
    },
  };

  const inSight = () => phase() === "judging" && room.dataset.loading === "false";

  function watchWhatIsSeen() {
    watch.run(inSight() && !document.hidden && !keys.open);
  }

  // ---- phases: cover, judging, feedback

  const phase = () => room.dataset.phase;

  function enter(name) {
    room.dataset.phase = name;
    $("#feedback").hidden = name !== "feedback";
    for (const button of $$(".block button")) {
      button.disabled = name === "cover" || (name === "feedback" && !button.closest(".view, .feedback"));
    }
    $("#pause").disabled = name === "cover";
    refreshBusy();
    watchWhatIsSeen();
  }

  function cover(title, text, label, action, leave = true) {
    $("#cover-title").textContent = title;
    $("#cover-text").textContent = text;
    $("#go").hidden = !label;
    $("#go-label").textContent = label;
    $("#leave").hidden = !leave;
    go = action;
    enter("cover");
    if (label) $("#go").focus();
  }

  function say(text) {
    $("#status").textContent = text;
  }

  // ---- pictures: the one in sight, the next and the last are kept

  const pictures = new Map();

  function picture({ presentation, pixels }) {
    if (!pictures.has(presentation)) {
      const read = async (answer) => new Uint16Array(await answer.arrayBuffer());
      const loading = persistence.ask(pixels, { read });
      loading.catch(() => pictures.delete(presentation));
      pictures.set(presentation, loading);
    }
    return pictures.get(presentation);
  }

  function preload() {
    const wanted = [work.current, work.next].filter(Boolean);
    const keep = new Set([...wanted, item, last].filter(Boolean).map(({ presentation }) => presentation));
    for (const presentation of pictures.keys()) if (!keep.has(presentation)) pictures.delete(presentation);
    for (const each of wanted) picture(each).catch(() => {}); // showing it will say what is wrong
  }

  async function show(shown) {
    item = shown;
    watch.reset();
    const draft = last?.presentation === item.presentation ? last : { tags: [], confidence: null };
    tags = new Set(draft.tags);
    confidence = draft.confidence;
    refreshRemarks();
    room.dataset.loading = "true";
    const pixels = await picture(item);
    if (item !== shown) return;
    room.dataset.loading = "false";
    viewer.show(pixels, item.rows, item.columns);
    if (phase() !== "cover") enter("judging");
  }

  // ---- work

  function take(answer) {
    const trained = work?.training && !answer.training;
    work = answer;
    refreshProgress(work.done);
    refreshBusy();
    preload();
    return trained;
  }

  /** Go on with what the server says; what is in sight already stays. */
  async function proceed(answer) {
    if (take(answer)) return welcome();
    if (!work.current) return finish();
    if (phase() === "feedback" || item?.presentation !== work.current.presentation) {
      enter("judging");
      await show(work.current);
    }
  }

  /** Ask where we are. Nobody may be before the screen when the page has only been opened: then a cover waits. */
  async function goOn() {
    const answer = await persistence.ask("/api/work");
    if (phase() !== "cover") return proceed(answer);
    take(answer);
    return welcome();
  }

  function welcome() {
    if (!work.current) return finish();
    const begin = () => {
      enter("judging");
      guarded(() => show(work.current));
    };
    const left = `${work.total - work.done} of ${images(work.total)} left to judge.`;
    const one = "One key is one verdict; the next image follows at once.";
    if (work.training) {
      const text = `First ${images(work.total)} for training: after each verdict you are told what was expected. `;
      return cover("Training", text + one, work.done ? "Continue" : "Begin", begin);
    }
    if (work.done) return cover("Welcome back", left, "Continue", begin);
    return cover("Ready", `${images(work.total)} to judge, without feedback. ${one}`, "Begin", begin);
  }

  function finish() {
    item = null;
    viewer.clear();
    const text = `You have judged ${images(work.total)}. Every vote is saved.`;
    cover("Thank you, all done", text, "", () => {});
  }

  function images(count) {
    return count === 1 ? "1 image" : `${count} images`;
  }

  async function vote(quality) {
    if (!inSight()) return undefined;
    if (busy) return say("One moment: the last vote is not saved yet.");
    if (watch.milliseconds < config.minimum_viewing_ms) return say("Please look a little longer.");
    const dwell = Math.round(watch.milliseconds);
    watch.run(false);
    last = { ...item, quality, tags: [...tags], confidence };
    const { presentation } = item;
    const submission = crypto.randomUUID();
    const message = { presentation, submission, quality, tags: last.tags, confidence, dwell_ms: dwell, view: viewer.view };
    const label = config.classes.find(({ value }) => value === quality).label;
    flash(quality);
    document.activeElement.blur(); // else Enter would press the same button for the next image, too
    busy = true;
    say("");
    refreshBusy();
    try {
      const sending = outbox.send(message);
      // In training the answer is the feedback; else nobody waits for the network, the next image is here already.
      const showing = work.training || !work.next ? null : showAhead();
      showing?.catch(() => {}); // told below
      const answer = await sending;
      busy = false;
      say(`Saved: ${label}.`);
      if (answer.feedback) return explain(answer, quality);
      await proceed(answer.work);
      await showing;
    } finally {
      busy = false;
      refreshBusy();
    }
  }

  function showAhead() {
    refreshProgress(work.done + 1);
    return show(work.next);
  }

  function explain({ feedback, work: following }, quality) {
    enter("feedback");
    for (const button of $$(".verdict")) {
      const { quality: value } = button.dataset;
      button.querySelector("small").textContent = value === feedback.expected ? "expected" : value === quality ? "yours" : "";
    }
    $("#feedback").dataset.correct = feedback.correct;
    $("#feedback-title").textContent = feedback.correct ? "As expected" : "Not what was expected";
    $("#feedback-text").textContent = feedback.text;
    next = () => proceed(following);
    $("#next").focus();
  }

  async function undo() {
    if ($("#undo").disabled) return;
    busy = true;
    refreshBusy();
    try {
      const headers = { "X-CSRF-Token": csrf };
      const answer = await persistence.ask("/api/undo", { method: "POST", headers });
      enter("judging");
      item = null;
      await proceed(answer.work);
      const said = last?.presentation === item?.presentation && config.classes.find(({ value }) => value === last.quality);
      say(said ? `Taken back: ${said.label}.` : "The last vote is taken back.");
    } finally {
      busy = false;
      refreshBusy();
    }
  }

  function pause() {
    // In training an answer on its way brings the feedback, which would end the pause.
    if (phase() === "cover" || (busy && work.training)) return;
    const before = phase();
    const resume = () => {
      enter(before);
      if (before === "feedback") $("#next").focus();
    };
    const saved = busy ? "The last vote is not saved yet: do not close the page." : "Every vote is saved.";
    cover("Paused", `${saved} Go on here, or on any machine with your invitation link.`, "Continue", resume);
  }

  async function leave() {
    const headers = { "X-CSRF-Token": csrf };
    await persistence.ask("/logout", { method: "POST", headers, redirect: "manual", read: () => {} });
    location.assign("/");
  }

  // ---- what goes wrong

  /** Do something that asks the server; what it refuses is told, and the server is asked where we are. */
  async function guarded(action, again = true) {
    try {
      await action();
    } catch (trouble) {
      if (!(trouble instanceof Refused)) throw trouble;
      if (trouble.needsSession) {
        const kept = outbox.kept ? " Your last vote is kept on this machine and is sent when you are back." : "";
        return cover("Please sign in again", `Open your invitation link once more.${kept}`, "Reload", () => location.reload(), false);
      }
      if (!again) return cover("This cannot go on", trouble.message, "Reload", () => location.reload());
      say(trouble.message);
      item = null;
      return guarded(goOn, false);
    }
  }

  function showTrouble(trouble, seconds) {
    $("#trouble").hidden = !trouble;
    if (!trouble) return;
    const kept = outbox.kept ? "Your vote is kept here, but not saved yet. " : "";
    $("#trouble-text").textContent = `${trouble.message} ${kept}Next try in ${seconds} s.`;
  }

  // ---- the panel

  function refreshProgress(done) {
    const number = Math.min(done + 1, work.total);
    $("#place").textContent = `${work.training ? "Training " : ""}${number} of ${work.total}`;
    $("#progress").max = Math.max(work.total, 1);
    $("#progress").value = done;
    canvas.setAttribute("aria-label", `MR image ${number} of ${work.total}`);
  }

  function refreshRemarks() {
    for (const button of $$(".tag")) button.setAttribute("aria-pressed", String(tags.has(button.dataset.tag)));
    for (const button of $$("[data-confidence]")) {
      button.setAttribute("aria-pressed", String(button.dataset.confidence === String(confidence)));
    }
    for (const note of $$(".verdict small")) note.textContent = "";
  }

  function refreshBusy() {
    room.setAttribute("aria-busy", String(busy));
    const paused = phase() === "cover" && work?.current;
    $("#undo").disabled = busy || !work?.can_undo || paused || phase() === "feedback";
  }

  function showView({ level, width, zoom, inverted, background_boost: boosted }) {
    $("#window").textContent = `L ${Math.round(level)}  W ${Math.round(width)}`;
    $("#zoom").textContent = `${Math.round(100 * zoom)} %`;
    $("#invert").setAttribute("aria-pressed", String(inverted));
    $("#boost").setAttribute("aria-pressed", String(boosted));
  }

  function flash(quality) {
    const button = $$(".verdict").find(({ dataset }) => dataset.quality === quality);
    button.classList.add("pressed");
    setTimeout(() => button.classList.remove("pressed"), 180);
  }

  function toggleTag(value) {
    if (!tags.delete(value)) tags.add(value);
    refreshRemarks();
  }

  /** Choose a confidence; the chosen one once more is none. */
  function choose(value) {
    confidence = confidence === value ? null : value;
    refreshRemarks();
  }

  function nextConfidence() {
    const values = [...config.confidence.map(({ value }) => value), null];
    confidence = values[(values.indexOf(confidence) + 1) % values.length];
    refreshRemarks();
  }

  // ---- keys and clicks

  const verdictOf = new Map(config.classes.map(({ key, value }) => [key, value]));
  const tagOf = new Map(config.tags.map(({ key, value }) => [key, value]));
  const common = { t: changeTheme, "?": () => keys.showModal(), u: () => guarded(undo), Backspace: () => guarded(undo) };
  const pausing = { p: pause, Escape: pause };

  /** Return what a key means now; those of the viewer are its own. */
  function meaning(key) {
    const judging = inSight();
    if (judging && verdictOf.has(key)) return () => guarded(() => vote(verdictOf.get(key)));
    if (judging && tagOf.has(key)) return () => toggleTag(tagOf.get(key));
    if (judging && key === "c") return nextConfidence;
    return common[key] ?? (phase() === "cover" ? undefined : pausing[key]);
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || keys.open) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const action = meaning(key);
    if (action && !event.repeat) action();
    if (action || (phase() !== "cover" && viewer.press(key))) event.preventDefault();
  });

  const clicks = {
    "[data-quality]": ({ quality }) => guarded(() => vote(quality)),
    "[data-tag]": ({ tag }) => toggleTag(tag),
    "[data-confidence]": ({ confidence: value }) => choose(Number(value)),
    "[data-key]": ({ key }) => viewer.press(key),
    "#undo": () => guarded(undo),
    "#pause": pause,
    "#help": () => keys.showModal(),
    "#go": () => go(),
    "#leave": () => guarded(leave),
    "#next": () => guarded(() => next()),
    "#again": () => persistence.now(),
  };
  for (const [selector, action] of Object.entries(clicks)) {
    for (const button of $$(selector)) button.addEventListener("click", () => action(button.dataset));
  }
  document.addEventListener("visibilitychange", watchWhatIsSeen);
  new MutationObserver(watchWhatIsSeen).observe(keys, { attributeFilter: ["open"] });

  // ---- begin: first what an earlier page could not send

  room.style.setProperty("--minimum", `${config.minimum_viewing_ms}ms`);
  enter("cover");
  guarded(async () => {
    if (outbox.kept) await outbox.send(outbox.kept);
    await goOn();
  });
})();
