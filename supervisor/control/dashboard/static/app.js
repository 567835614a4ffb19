// The page: follows /events and hands each part what it shows. No part asks for more than it is given.

import { ask, follow, signIn } from "./api.js";
import { showCharts } from "./charts.js";
import { showFailures } from "./failures.js";
import { answered, showKeys } from "./keys.js";
import { listen } from "./lookup.js";
import { clockTime, count, duration, element, facts, megabytes, rate, say } from "./page.js";
import { showWorkers, smoothed } from "./workers.js";

const KEPT = 600;
const at = (id) => document.getElementById(id);
let samples = [];
let workers = {};

function showStatus(status) {
  workers = status.workers;
  if (status.sample && status.sample.at !== samples.at(-1)?.at) samples = [...samples, status.sample].slice(-KEPT);
  showHealth(status.ready ? "ready" : "not ready", status.ready ? "good" : "bad");
  showTotals(status);
  showAlerts(status);
  showWorkers(status.workers, samples);
  showKeys(status.keys);
  if (!document.hidden) showCharts(samples, status.workers);
  showConfig(status.config);
  showFoot(status);
}

function showHealth(text, look) {
  const pill = at("health");
  pill.className = `pill ${look}`;
  say(pill, text);
}

function showTotals(status) {
  const set = facts(at("facts"));
  const each = Object.values(status.workers);
  set("jobs/s", rate(each.reduce((sum, worker) => sum + worker.per_s, 0)));
  set("requests/s", rate(smoothed(samples.slice(-10).map((sample) => sample.requests), 10).at(-1) ?? 0));
  set("answers 429", count(status.keys.reduce((sum, key) => sum + answered(key, "429"), 0)));
  set("waiting", count(each.reduce((sum, worker) => sum + (worker.queue.available ?? 0), 0)));
  set("up", duration(status.uptime_s));
}

function showAlerts(status) {
  const problems = [...status.reasons_not_ready.map((text) => ["bad", text])];
  const { ok, at: when, errors } = status.config.last_reload;
  if (!ok) problems.push(["bad", `The file as of ${clockTime(when)} is not in force; what was before it still is:`], ...errors.map((text) => ["bad", text]));
  for (const key of status.keys) if (!["ok", "probing"].includes(key.state)) problems.push(["warn", `key ${key.name} is ${key.state}: ${key.reason}`]);
  for (const [name, worker] of Object.entries(status.workers)) if (worker.degraded) problems.push(["warn", `${name}: its processes keep dying, the last one by ${worker.last_exit}`]);
  for (const [name, worker] of Object.entries(status.workers)) if (worker.purge_brake_since) problems.push(["warn", `${name}: far more than usual are not found, so nothing is hidden or deleted (since ${clockTime(worker.purge_brake_since)})`]);
  for (const [name, worker] of Object.entries(status.workers)) for (const endpoint of Object.keys(worker.braked ?? {})) problems.push(["warn", `${name}: answers of ${endpoint} have an unknown shape, so it is asked once a minute only`]);
  const disk = status.database.disk;
  if (disk?.bulk_stopped) problems.push(["bad", `${megabytes(disk.free_bytes)} of disk left: auctions ${disk.background_stopped ? "and all background work " : ""}stopped until ${megabytes(disk.min_free_bytes)} are free`]);
  for (const host of status.hosts ?? []) if (host.state === "down") problems.push(["bad", `${host.host} is down: ${host.failed} of ${host.of} requests failed, ${host.why}; its jobs wait and spend no attempt`]);
  for (const text of status.config.needs_restart ?? []) problems.push(["warn", `restart to apply: ${text}`]);
  const wanted = JSON.stringify(problems);
  if (at("alerts").dataset.shown === wanted) return;
  at("alerts").dataset.shown = wanted;
  at("alerts").replaceChildren(...problems.map(([look, text]) => element("p", { class: look }, text)));
}

function showConfig(config) {
  const { ok, at: when } = config.last_reload;
  const wanted = JSON.stringify(config);
  const panel = at("config");
  if (panel.dataset.shown === wanted) return;
  panel.dataset.shown = wanted;
  const set = facts(panel.appendChild(element("dl", { class: "numbers" })));
  panel.replaceChildren(panel.lastChild);
  set("file", config.path ?? "none: defaults");
  set("generation", config.generation);
  set("last read", `${clockTime(when)}, ${ok ? "in force" : "refused"}`);
  for (const [setting, variable] of Object.entries(config.pinned)) panel.append(element("p", { class: "quiet" }, `${setting} is pinned by ${variable}`));
  for (const warning of config.warnings) panel.append(element("p", { class: "quiet" }, warning));
}

function showFoot(status) {
  const memory = Object.values(status.memory_pss_bytes).reduce((sum, bytes) => sum + bytes, 0);
  const commit = status.database.commit_p99_s;
  say(at("foot"), `pid ${status.pid} · memory ${megabytes(memory)} · database ${status.database.state}` + (commit === null ? "" : `, commit p99 ${duration(commit)}`));
}

function start() {
  follow({
    open: () => showHealth("connected", ""),
    lost: () => showHealth("connection lost, trying again", "bad"),
    token: () => {
      at("sign-in").hidden = false;
      showHealth("token wanted", "warn");
    },
    history: (all) => { samples = all; },
    status: showStatus,
    failures: showFailures,
  });
}

at("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  signIn(at("token").value);
  at("sign-in").hidden = true;
  start();
});
listen(() => workers);
start();
