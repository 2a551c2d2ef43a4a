// Charts that one can point into, or go through with the arrow keys: uPlot, with the figures that stand
// beside each drawing of the server, in its place. Without this the pages are whole.
"use strict";

const HEIGHT = 120;
const STEPS = [0, 1, 2, 3, 4, 5, 6, 7, 8].flatMap((power) => [1, 2, 5].map((each) => each * 10 ** power));

// Read whenever something is drawn: the reader may turn to dark colours while the page is open.
const colour = (name) => () =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const number = (value) => (value === null || value === undefined ? "–" : value.toLocaleString("en"));

function moment(seconds, step) {
  const text = new Date(seconds * 1000).toISOString();
  return step < 86400 ? text.slice(11, 16) : text.slice(0, 10);
}

function draw(figure) {
  const before = figure.querySelector("svg");
  const said = figure.querySelector("figcaption .note");
  const whole = said.textContent;
  const [first, step] = [Number(figure.dataset.first), Number(figure.dataset.step)];
  const values = figure.dataset.values.split(",").map((text) => (text === "" ? null : Number(text)));
  const times = values.map((_, place) => first + place * step);
  const last = times.length - 1;
  const bar = colour(figure.dataset.bad === undefined ? "--bar" : "--bad");

  const place = document.createElement("div");
  place.className = "pointed";
  place.dir = "ltr";
  place.tabIndex = 0;
  place.setAttribute("role", "img");
  place.setAttribute("aria-label", before.getAttribute("aria-label"));
  before.replaceWith(place);
  figure.classList.add("drawn");

  const tell = (plot) => {
    const at = plot.cursor.idx;
    const pointed = at !== null && at !== undefined && plot.cursor.left >= 0;
    said.dir = pointed ? "ltr" : "";
    const zone = step < 86400 ? " UTC" : "";
    said.textContent = pointed ? `${moment(times[at], step)}${zone}: ${number(values[at])}` : whole;
  };
  const axis = { stroke: colour("--soft"), font: `12px ${getComputedStyle(place).fontFamily}` };
  const grid = { stroke: colour("--line"), width: 1 };
  const plot = new uPlot(
    {
      width: place.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      padding: [8, 8, 0, 0],
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      scales: {
        x: { range: () => [first - step / 2, times[last] + step / 2] },
        y: { range: (_plot, _low, high) => [0, Math.max(1, high)] },
      },
      axes: [
        {
          ...axis,
          size: 24,
          space: 64,
          grid: { show: false },
          ticks: grid,
          // Of days without their year: that is told of the one that is pointed at.
          values: (_plot, places) => places.map((each) => moment(each, step).slice(-5)),
        },
        {
          ...axis,
          size: 52,
          space: 28,
          grid,
          ticks: grid,
          incrs: STEPS,
          values: (_plot, places) => places.map(number),
        },
      ],
      series: [
        {},
        { fill: bar, width: 0, paths: uPlot.paths.bars({ size: [0.8] }), points: { show: false } },
      ],
      hooks: { setCursor: [tell] },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    },
    [times, values],
    place,
  );
  let at = last + 1;
  place.addEventListener("keydown", (event) => {
    const there = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
    if (there === undefined) return;
    event.preventDefault();
    at = Math.min(last, Math.max(0, there));
    said.setAttribute("aria-live", "polite");
    plot.setCursor({ left: plot.valToPos(times[at], "x"), top: 0 });
  });
  place.addEventListener("blur", () => plot.setCursor({ left: -10, top: -10 }));
  new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: HEIGHT })).observe(place);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plot.redraw());
}

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("figure[data-values]").forEach(draw);
});
