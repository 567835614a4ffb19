// One card for each worker: how fast, what limits it, what waits, and the controls.

import { ask } from "./api.js";
import { clockTime, count, duration, element, facts, keep, rate, say } from "./page.js";

const LOOKS = {
  "nothing to do": "good", second: "busy", hour: "busy", concurrency: "busy",
  database: "warn", paused: "warn", "no key": "bad", "no replica": "bad", "api down": "bad", disk: "bad",
};
const MEANS = {
  "nothing to do": "no job waits",
  second: "its keys send all that a second allows",
  hour: "its keys have spent what the hour allows by now",
  concurrency: "every slot works: more concurrency or replicas would do more",
  database: "commits take too long",
  paused: "a person paused it",
  "no key": "no usable key has its tag",
  "api down": "the API does not answer: jobs wait and spend no attempt, one request at a time probes it",
  "no replica": "no process of it is ready",
  disk: "there is no room for what its jobs store; it goes on by itself when there is",
};

export function showWorkers(workers, samples) {
  const items = Object.entries(workers).map(([name, worker]) => [name, { name, worker, samples }]);
  keep(document.getElementById("worker-cards"), items, make, update);
}

function make(name) {
  return element(
    "article",
    { class: "card", "aria-label": `worker ${name}` },
    element(
      "header",
      {},
      element("h3", {}, name),
      element("span", { class: "pill" }),
      element("button", { class: "pause", onclick: (event) => act(name, event.target.value) }, "Pause"),
    ),
    element("div", { class: "speed" }, element("div", {}, element("strong"), " ", element("small")), sparkline()),
    element("p", { class: "problem" }),
    element("dl", { class: "numbers" }),
    element("p", { class: "why" }),
    element(
      "div",
      { class: "controls" },
      stepper(name, "replicas"),
      stepper(name, "concurrency"),
      element("button", { class: "auto", onclick: (event) => toggleAuto(name, event.target) }, "auto"),
    ),
  );
}

function update(card, { name, worker, samples }) {
  const pill = card.querySelector(".pill");
  pill.className = `pill ${LOOKS[worker.limited_by] ?? ""}`;
  pill.title = MEANS[worker.limited_by] ?? "";
  say(pill, worker.limited_by);
  say(card.querySelector("strong"), `${rate(worker.per_s)}/s`);
  say(card.querySelector(".speed small"), worker.target_per_s ? `target ${worker.target_per_s}/s` : "");
  draw(card.querySelector(".spark path"), samples.map((sample) => sample.jobs[name] ?? 0));
  say(card.querySelector(".problem"), worker.last_minute.problem);
  numbers(facts(card.querySelector("dl")), worker);
  for (const what of ["concurrency", "replicas"]) updateStepper(card.querySelector(`.${what}`), what, worker);
  say(card.querySelector(".why"), reason(worker));
  const pause = card.querySelector(".pause");
  pause.value = worker.paused ? "resume" : "pause";
  say(pause, worker.paused ? "Resume" : "Pause");
  card.querySelector(".auto").setAttribute("aria-pressed", isAuto(worker));
}

function numbers(set, worker) {
  const waiting = worker.queue.available ?? 0;
  const later = (worker.queue.scheduled ?? 0) + (worker.queue.retryable ?? 0);
  const ended = worker.last_minute.succeeded + worker.last_minute.failed;
  set("waiting", count(waiting));
  set("urgent", count(worker.waiting.urgent));
  set("executing", count(worker.queue.executing ?? 0));
  set("later", count(later));
  set("discarded", count(worker.queue.discarded ?? 0));
  set("done in", waiting && worker.per_s ? duration(waiting / worker.per_s) : waiting ? "never" : "–");
  set("oldest", waiting ? duration(worker.oldest_waiting_s) : "–");
  if (worker.known !== null && worker.known !== undefined) set("known", count(worker.known));
  if (worker.fresh_ratio !== null && worker.fresh_ratio !== undefined) set("fresh", `${(100 * worker.fresh_ratio).toFixed(1)} %`);
  set("success", ended ? `${((100 * worker.last_minute.succeeded) / ended).toFixed(1)} %` : "–");
}

function stepper(name, what) {
  const step = (by) => (event) => change(name, { [what]: by }, event.target);
  return element(
    "span",
    { class: `control ${what}`, role: "group", "aria-label": what },
    element("small", {}, what),
    element("button", { onclick: step("-1"), "aria-label": `one less ${what}` }, "−"),
    element("output"),
    element("button", { onclick: step("+1"), "aria-label": `one more ${what}` }, "+"),
  );
}

function updateStepper(group, what, worker) {
  const desired = worker.desired[what];
  const effective = worker.effective[what];
  say(group.querySelector("output"), desired === effective || desired === "auto" ? effective : `${effective} → ${desired}`);
}

const isAuto = (worker) => worker.desired.concurrency === "auto";

/** Return why the concurrency is what it is, where autoscale may move it. */
function reason(worker) {
  const moved = worker.autoscale;
  if (!moved) return "";
  if (!moved.who) return moved.note ? `stays at ${moved.concurrency}: ${moved.note}` : "";
  const since = moved.since ? `, since ${clockTime(moved.since)}` : "";
  return `${moved.concurrency} by ${moved.who}${since}: ${moved.why}${moved.note ? `; now ${moved.note}` : ""}`;
}

const toggleAuto = (name, button) => {
  const wanted = button.getAttribute("aria-pressed") === "true" ? lastNumber(button) : "auto";
  return change(name, { concurrency: wanted }, button);
};

const lastNumber = (button) => Number.parseInt(button.closest(".card").querySelector(".concurrency output").textContent, 10) || 1;

async function change(name, wanted, button) {
  button.disabled = true;
  try {
    const { effective, took_ms } = await ask("workers/concurrency", { method: "POST", body: { worker: name, ...wanted } });
    announce(`${name}: ${effective.replicas} replicas × ${effective.concurrency}, in force after ${Math.round(took_ms)} ms`);
  } catch (error) {
    announce(`${name}: ${error.message}`);
  }
  button.disabled = false;
}

async function act(name, what) {
  try {
    await ask(`workers/${encodeURIComponent(name)}/${what}`, { method: "POST" });
    announce(`${name}: ${what === "pause" ? "paused; jobs that execute may end" : "resumed"}`);
  } catch (error) {
    announce(`${name}: ${error.message}`);
  }
}

let silence = 0;

/** Say what became of a person's wish, for a few seconds. */
export function announce(text) {
  clearTimeout(silence);
  say(document.getElementById("said"), text);
  silence = setTimeout(() => say(document.getElementById("said"), ""), 8000);
}

function sparkline() {
  const spark = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  spark.setAttribute("class", "spark");
  spark.setAttribute("viewBox", "0 0 100 24");
  spark.setAttribute("preserveAspectRatio", "none");
  spark.setAttribute("aria-hidden", "true");
  spark.append(document.createElementNS("http://www.w3.org/2000/svg", "path"));
  return spark;
}

function draw(path, perSecond) {
  const smooth = smoothed(perSecond.slice(-125), 5).slice(-120);
  const most = Math.max(1e-9, ...smooth);
  const points = smooth.map((value, index) => `${((100 * index) / Math.max(1, smooth.length - 1)).toFixed(1)} ${(23 - (22 * value) / most).toFixed(1)}`);
  path.setAttribute("d", points.length ? `M${points.join("L")}` : "");
}

/** Return the running mean over `span` values: replicas report once a second, so a second may have two reports. */
export function smoothed(values, span) {
  let sum = 0;
  return values.map((value, index) => {
    sum += value - (index >= span ? values[index - span] : 0);
    return sum / Math.min(span, index + 1);
  });
}
