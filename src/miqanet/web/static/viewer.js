"use strict";

/**
 * A gray image of 16 bits on a canvas, as a radiologist's workstation shows it.
 *
 * Every pixel value goes through a table of 65,536 grays: a linear window of a level and a width (DICOM PS3.3,
 * C.11.2.1.2), a logarithm that lifts the dark end where the background is boosted, and the inversion. The picture
 * is made anew only when the table changes; zoom and pan merely draw it elsewhere.
 *
 * Drag sets the window (right: wider, down: darker), middle or shift drag pans, the wheel zooms; on a touch screen
 * one finger sets the window, two pinch and pan. `press(key)` does the same by keys.
 */
class Viewer {
  static VALUES = 65536;
  /** How much log(1 + BOOST x) lifts the dark end: a ghost of 1 % of the window gets 15 % of the grays. */
  static BOOST = 100;
  static LARGEST_ZOOM = 16;

  /** `changed` is called with the view whenever something of it changes. */
  constructor(canvas, changed = () => {}) {
    this.canvas = canvas;
    this.changed = changed;
    this.context = canvas.getContext("2d", { alpha: false });
    this.picture = document.createElement("canvas");
    this.table = new Uint32Array(Viewer.VALUES);
    this.pixels = null;
    this.pointers = new Map();
    this.listen();
  }

  /** Show `pixels`, a Uint16Array of rows * columns, with the window that suits them, fitted into the canvas. */
  show(pixels, rows, columns) {
    this.pixels = pixels;
    this.picture.width = columns;
    this.picture.height = rows;
    this.image = new ImageData(columns, rows);
    this.suitable = Viewer.suitableWindow(pixels);
    this.reset();
    this.paint();
  }

  clear() {
    this.pixels = null;
    this.paint();
  }

  reset() {
    ({ level: this.level, width: this.width } = this.suitable);
    this.inverted = false;
    this.boosted = false;
    this.fit();
    this.refresh();
  }

  /** What the observer chose; the zoom in screen pixels per pixel of the image. */
  get view() {
    return {
      level: this.level,
      width: this.width,
      zoom: this.zoom,
      inverted: this.inverted,
      background_boost: this.boosted,
    };
  }

  /** The window between the 0.1st and the 99.7th percentile: a few bright vessels do not darken all the rest. */
  static suitableWindow(pixels) {
    const counts = new Uint32Array(Viewer.VALUES);
    for (const value of pixels) counts[value] += 1;
    const percentile = (share) => {
      let left = share * pixels.length;
      let value = 0;
      while (value < Viewer.VALUES - 1 && (left -= counts[value]) > 0) value += 1;
      return value;
    };
    const low = percentile(0.001);
    const width = Math.max(percentile(0.997) - low, 1);
    return { level: low + width / 2, width };
  }

  // ---- what the observer does

  setWindow(level, width) {
    this.width = Math.min(Math.max(width, 1), 2 * Viewer.VALUES);
    this.level = Math.min(Math.max(level, 0), Viewer.VALUES - 1);
    this.refresh();
  }

  invert() {
    this.inverted = !this.inverted;
    this.refresh();
  }

  boostBackground() {
    this.boosted = !this.boosted;
    this.refresh();
  }

  /** Zoom by a factor; the point of the canvas at (x, y), in screen pixels from its center, stays where it is. */
  zoomBy(factor, x = 0, y = 0) {
    const zoom = Math.min(Math.max(this.zoom * factor, this.fitting / 2), Math.max(Viewer.LARGEST_ZOOM, this.fitting));
    const ratio = zoom / this.zoom;
    this.zoom = zoom;
    this.fitted = false;
    this.panTo(x - (x - this.x) * ratio, y - (y - this.y) * ratio);
  }

  panBy(x, y) {
    this.panTo(this.x + x, this.y + y);
  }

  /** Do what a key means, where it means anything. */
  press(key) {
    const act = this.pixels && Viewer.KEYS[key];
    if (act) act(this);
    return Boolean(act);
  }

  static KEYS = {
    w: (viewer) => viewer.setWindow(viewer.level - viewer.suitable.width / 32, viewer.width),
    s: (viewer) => viewer.setWindow(viewer.level + viewer.suitable.width / 32, viewer.width),
    a: (viewer) => viewer.setWindow(viewer.level, viewer.width * 1.12),
    d: (viewer) => viewer.setWindow(viewer.level, viewer.width / 1.12),
    i: (viewer) => viewer.invert(),
    b: (viewer) => viewer.boostBackground(),
    r: (viewer) => viewer.reset(),
    "+": (viewer) => viewer.zoomBy(1.25),
    "=": (viewer) => viewer.zoomBy(1.25),
    "-": (viewer) => viewer.zoomBy(0.8),
    ArrowLeft: (viewer) => viewer.panBy(viewer.canvas.width / 12, 0),
    ArrowRight: (viewer) => viewer.panBy(-viewer.canvas.width / 12, 0),
    ArrowUp: (viewer) => viewer.panBy(0, viewer.canvas.height / 12),
    ArrowDown: (viewer) => viewer.panBy(0, -viewer.canvas.height / 12),
  };

  // ---- geometry, in screen pixels

  /** The largest zoom at which the whole image is seen. */
  get fitting() {
    return Math.min(this.canvas.width / this.picture.width, this.canvas.height / this.picture.height);
  }

  fit() {
    this.fitted = true;
    this.zoom = this.fitting;
    this.panTo(0, 0);
  }

  /** Put the image's center this far from the canvas's; the canvas's center never leaves the image. */
  panTo(x, y) {
    const mostX = (this.picture.width * this.zoom) / 2;
    const mostY = (this.picture.height * this.zoom) / 2;
    this.x = Math.min(Math.max(x, -mostX), mostX);
    this.y = Math.min(Math.max(y, -mostY), mostY);
    this.schedule();
  }

  resize() {
    const ratio = devicePixelRatio;
    this.canvas.width = Math.max(Math.round(this.canvas.clientWidth * ratio), 1);
    this.canvas.height = Math.max(Math.round(this.canvas.clientHeight * ratio), 1);
    if (!this.pixels) return;
    if (this.fitted) this.fit();
    else this.panBy(0, 0);
    this.paint();
  }

  // ---- drawing

  refresh() {
    this.stale = true;
    this.schedule();
  }

  schedule() {
    this.changed(this.view);
    this.frame ??= requestAnimationFrame(() => this.paint());
  }

  paint() {
    cancelAnimationFrame(this.frame);
    this.frame = null;
    const { canvas, context, picture, zoom } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = "#000";
    context.fillRect(0, 0, canvas.width, canvas.height);
    if (!this.pixels) return;
    if (this.stale) this.render();
    const left = canvas.width / 2 + this.x - (picture.width * zoom) / 2;
    const top = canvas.height / 2 + this.y - (picture.height * zoom) / 2;
    context.setTransform(zoom, 0, 0, zoom, left, top);
    context.imageSmoothingQuality = "high";
    context.drawImage(picture, 0, 0);
  }

  render() {
    const { pixels, table } = this;
    const low = this.level - this.width / 2;
    for (let value = 0; value < Viewer.VALUES; value += 1) {
      let share = Math.min(Math.max((value - low) / this.width, 0), 1);
      if (this.boosted) share = Math.log1p(Viewer.BOOST * share) / Math.log1p(Viewer.BOOST);
      const gray = Math.round(255 * (this.inverted ? 1 - share : share));
      table[value] = 0xff000000 | (gray << 16) | (gray << 8) | gray;
    }
    const colors = new Uint32Array(this.image.data.buffer);
    for (let index = 0; index < colors.length; index += 1) colors[index] = table[pixels[index]];
    this.picture.getContext("2d").putImageData(this.image, 0, 0);
    this.stale = false;
  }

  // ---- pointers

  listen() {
    const { canvas } = this;
    new ResizeObserver(() => this.resize()).observe(canvas);
    canvas.addEventListener("pointerdown", (event) => this.grasp(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, (event) => this.pointers.delete(event.pointerId));
    }
    canvas.addEventListener("wheel", (event) => this.turn(event), { passive: false });
    canvas.addEventListener("dblclick", () => this.pixels && this.fit());
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  grasp(event) {
    if (!this.pixels) return;
    if (event.button === 1) event.preventDefault(); // the browser's own scrolling
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  }

  move(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before || !this.pixels) return;
    const now = { x: event.clientX, y: event.clientY };
    const across = now.x - before.x;
    const down = now.y - before.y;
    if (this.pointers.size > 1) this.pinch(event.pointerId, before, now);
    else if (event.shiftKey || event.buttons & 4) this.panBy(across * devicePixelRatio, down * devicePixelRatio);
    else {
      const unit = this.suitable.width / 500;
      this.setWindow(this.level + down * unit, this.width + across * unit);
    }
    this.pointers.set(event.pointerId, now);
  }

  /** One of two fingers moved: what was between them stays between them. */
  pinch(pointer, before, now) {
    const [, other] = [...this.pointers].find(([id]) => id !== pointer);
    const apart = (point) => Math.max(Math.hypot(point.x - other.x, point.y - other.y), 1);
    const ratio = devicePixelRatio;
    this.panBy(((now.x - before.x) / 2) * ratio, ((now.y - before.y) / 2) * ratio);
    this.zoomBy(apart(now) / apart(before), ...this.place((now.x + other.x) / 2, (now.y + other.y) / 2));
  }

  turn(event) {
    event.preventDefault();
    if (!this.pixels) return;
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    // A pinch on a touch pad comes as a wheel with ctrl, in small steps.
    const factor = Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0015));
    this.zoomBy(factor, ...this.place(event.clientX, event.clientY));
  }

  /** Turn a place on the page into screen pixels from the canvas's center. */
  place(x, y) {
    const box = this.canvas.getBoundingClientRect();
    return [(x - box.left - box.width / 2) * devicePixelRatio, (y - box.top - box.height / 2) * devicePixelRatio];
  }
}
