// Three charts of the last ten minutes. uPlot draws; a sentence says the same to who cannot see them.

import { element } from "./page.js";
import { smoothed } from "./workers.js";

const COLOURS = ["#2f8f5f", "#3b7dd8", "#c2791b", "#a04ac0", "#c0453c", "#1c97a8", "#8a8f3a", "#7a6a5a"];
const HEIGHT = 220;
const SMOOTH_S = 5;
const charts = new Map();

export function showCharts(samples, workers) {
  const at = samples.map((sample) => sample.at);
  const names = Object.keys(workers);
  show("Jobs per second", at, names.map((name) => [name, smoothed(samples.map((each) => each.jobs[name] ?? 0), SMOOTH_S)]));
  show("Requests per second", at, [
    ["answered", smoothed(samples.map((each) => each.requests), SMOOTH_S)],
    ["429", samples.map((each) => each.refused)],
  ]);
  show("Milliseconds, logarithmic", at, [
    ["job p50", samples.map((each) => each.job_ms?.[0] ?? null)],
    ["job p99", samples.map((each) => each.job_ms?.[1] ?? null)],
    ["permit wait p50", samples.map((each) => each.wait_ms?.[0] ?? null)],
    ["permit wait p99", samples.map((each) => each.wait_ms?.[1] ?? null)],
  ], 3);
}

function show(title, at, series, distribution = 1) {
  const names = series.map(([name]) => name).join("|");
  let chart = charts.get(title);
  if (chart === undefined || chart.names !== names) {
    chart?.box.remove();
    chart = make(title, names, series, distribution);
    charts.set(title, chart);
  }
  chart.plot.setData([at, ...series.map(([, values]) => values)]);
  const latest = series.map(([name, values]) => `${name} ${(values.at(-1) ?? 0).toFixed(1)}`).join(", ");
  chart.box.setAttribute("aria-label", `${title}, now: ${latest}`);
}

function make(title, names, series, distribution) {
  const box = element("figure", { class: "panel chart", role: "img" });
  document.getElementById("charts").append(box);
  const ink = () => getComputedStyle(document.body).getPropertyValue("color");
  const grid = { stroke: "rgb(128 128 128 / .18)", width: 1 };
  const axis = { stroke: ink, grid, ticks: { show: false }, font: "11px system-ui" };
  const plot = new uPlot(
    {
      title, width: inner(box), height: HEIGHT, padding: [8, 8, 0, 0],
      cursor: { drag: { x: false, y: false }, sync: { key: "time" } },
      axes: [{ ...axis, values: (_, moments) => moments.map(minute), space: 70 }, { ...axis, size: 52 }],
      // Waits differ by powers of ten (distribution 3 is logarithmic); everything else starts at nothing.
      scales: { y: distribution === 3 ? { distr: 3 } : { range: (_, __, most) => [0, Math.max(1, (most ?? 0) * 1.1)] } },
      series: [
        { value: (_, at) => (at === null ? "" : new Date(at * 1000).toLocaleTimeString()) },
        ...series.map(([label], index) => ({
          label, stroke: COLOURS[index % COLOURS.length], width: 1.6, points: { show: false },
          value: (_, value) => (value === null || value === undefined ? "–" : value.toFixed(1)),
        })),
      ],
    },
    [[], ...series.map(() => [])],
    box,
  );
  new ResizeObserver(() => plot.setSize({ width: inner(box), height: HEIGHT })).observe(box);
  return { box, plot, names };
}

const minute = (at) => new Date(at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });

const inner = (box) => Math.max(200, box.clientWidth - 32);
