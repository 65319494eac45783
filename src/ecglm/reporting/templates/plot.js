"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const svg = byId("ecg"), scroll = svg.parentElement, readout = byId("readout");
  const cursor = byId("cursor"), dot = byId("dot"), ruler = byId("ruler"), hint = readout.textContent;
  const { fs, seconds, begins, step } = Object.fromEntries(
    Object.entries(svg.dataset).map(([key, value]) => [key, Number(value)]));
  const unit = svg.dataset.unit, words = [...svg.querySelectorAll("[data-t]")];
  const start = Number(svg.dataset.zoom);
  let zoom = start, from = null;

  // A trace's path holds its samples: "M first value l step change step change ...", in thousandths of the unit.
  const samples = (path) => {
    const out = new Float64Array(Math.ceil(seconds * fs) + 1).fill(NaN);
    for (const piece of path.split("M").slice(1)) {
      const numbers = piece.match(/-?\d+/g).map(Number);
      let [at, value] = numbers;
      out[at] = value / 1000;
      for (let k = 2; k + 1 < numbers.length; k += 2) {
        at += numbers[k];
        value += numbers[k + 1];
        out[at] = value / 1000;
      }
    }
    return out;
  };
  const leads = [...svg.querySelectorAll(".lead")].map((g) => ({
    name: g.dataset.lead, base: Number(g.dataset.base), top: Number(g.dataset.top), height: Number(g.dataset.height),
    centre: Number(g.dataset.centre) / 1000, values: samples(g.querySelector(".trace").getAttribute("d")),
    waves: [...g.querySelectorAll("rect")].map((r) => ({
      name: r.getAttribute("class"), on: Number(r.getAttribute("x")), long: Number(r.getAttribute("width")) })),
  }));

  const show = (shape, values) => {
    for (const [key, value] of Object.entries(values)) shape.setAttribute(key, value);
    shape.classList.remove("off");
  };
  const hide = (...shapes) => shapes.forEach((shape) => shape.classList.add("off"));

  // Keeps the time under x (pixels from the left of what is visible) where it is.
  const setZoom = (wanted, x = scroll.clientWidth / 2) => {
    const time = (scroll.scrollLeft + x) / zoom;
    zoom = Math.min(1600, Math.max(Math.min(start, scroll.clientWidth / seconds), wanted));
    byId("time").setAttribute("transform", `scale(${zoom} 1)`);
    svg.setAttribute("width", seconds * zoom);
    for (const word of words) {
      word.setAttribute("x", word.dataset.t * zoom);
      word.classList.toggle("off", word.dataset.room * zoom < Number(word.dataset.need));
    }
    const box = 0.2 * zoom;
    byId("grid").setAttribute("width", box);
    svg.querySelector(".cells").setAttribute("width", box);
    svg.querySelector(".coarse").setAttribute("d", `M${box} 0H0V20`);
    byId("fine").setAttribute("width", box / 5);
    svg.querySelector("path.fine").setAttribute("d", box < 10 ? "" : `M${box / 5} 0H0V4`);
    scroll.scrollLeft = time * zoom - x;
    hide(cursor, dot, ruler);
  };

  const place = (event) => {
    const edge = svg.getBoundingClientRect();
    const x = event.clientX - edge.left, y = event.clientY - edge.top;
    return { x, y, t: Math.min(seconds, Math.max(0, x / zoom)), lead: leads.find((l) => y >= l.top && y < l.top + l.height) };
  };
  const clock = (t) => {
    const all = t + begins, whole = Math.floor(all / 60);
    return all < 60 ? `${all.toFixed(3)} s` : `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}:${
      (all % 60).toFixed(3).padStart(6, "0")}`;
  };
  const point = (event) => {
    const { x, y, t, lead } = place(event);
    if (from !== null) {
      const dt = Math.abs(t - from.t), dv = Math.abs(y - from.y) / step;
      show(ruler, { x: Math.min(x, from.x), y: Math.min(y, from.y), width: Math.abs(x - from.x), height: Math.abs(y - from.y) });
      readout.textContent = `${(1000 * dt).toFixed(0)} ms`
        + (dt > 0.15 ? ` (${(60 / dt).toFixed(0)}/min)` : "") + `, ${dv.toFixed(2)} ${unit}`;
      return;
    }
    show(cursor, { x1: x, x2: x });
    hide(dot);
    if (lead === undefined) {
      readout.textContent = clock(t);
      return;
    }
    const value = lead.values[Math.round(t * fs)];
    if (Number.isFinite(value)) show(dot, { cx: x, cy: lead.base - value * step });
    const inside = lead.waves.filter((w) => t >= w.on && t <= w.on + w.long)
      .map((w) => `, ${w.name.toUpperCase()} wave of ${(1000 * w.long).toFixed(0)} ms`.replace("QRS wave", "QRS"));
    readout.textContent = `${lead.name} at ${clock(t)}: `
      + (Number.isFinite(value) ? `${(value + lead.centre).toFixed(3)} ${unit}` : "missing") + inside.join("");
  };

  svg.addEventListener("pointermove", point);
  svg.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "mouse" || event.button !== 0) return point(event);
    from = place(event);
    hide(cursor, dot);
  });
  window.addEventListener("pointerup", () => { from = null; });
  svg.addEventListener("pointerleave", () => {
    hide(cursor, dot);
    if (from === null) readout.textContent = hint;
  });
  scroll.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    setZoom(zoom * Math.exp(-event.deltaY / 300), event.clientX - scroll.getBoundingClientRect().left);
  }, { passive: false });
  byId("in").addEventListener("click", () => setZoom(zoom * 1.5));
  byId("out").addEventListener("click", () => setZoom(zoom / 1.5));
  byId("paper").addEventListener("click", () => setZoom(start));
  byId("whole").addEventListener("click", () => setZoom(scroll.clientWidth / seconds));
  for (const box of document.querySelectorAll("[data-hide]")) {
    box.addEventListener("change", () => svg.classList.toggle(`no-${box.dataset.hide}`, !box.checked));
  }
})();
