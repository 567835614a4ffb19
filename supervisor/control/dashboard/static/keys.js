// One card for each key: both windows, what is left of the hour, and why it is not used.

import { count, duration, element, facts, keep, say } from "./page.js";

const LOOKS = { ok: "good", probing: "warn", parked: "warn", quarantined: "bad", disabled: "bad", "no token": "warn" };

export function showKeys(keys) {
  keep(document.getElementById("key-cards"), keys.map((key) => [key.name, key]), make, update);
}

function make(name) {
  return element(
    "article",
    { class: "card", "aria-label": `key ${name}` },
    element("header", {}, element("h3", {}, name), element("span", { class: "pill" })),
    element("div", { class: "windows" }),
    element("dl", { class: "numbers" }),
    element("p", { class: "problem" }),
  );
}

function update(card, key) {
  const pill = card.querySelector(".pill");
  pill.className = `pill ${LOOKS[key.state] ?? ""}`;
  say(pill, key.state);
  keep(card.querySelector(".windows"), key.windows.map((window) => [String(window.per_s), window]), makeWindow, updateWindow);
  const set = facts(card.querySelector("dl"));
  const hour = key.windows.at(-1);
  set("left", count(hour.left));
  set("frees in", hour.frees_in_s ? duration(hour.frees_in_s) : "now");
  set("in flight", count(key.in_flight));
  set("429", count(answered(key, "429")));
  say(card.querySelector(".problem"), key.reason + (key.parked_for_s ? ` (${duration(key.parked_for_s)} more)` : ""));
}

const makeWindow = () => element("div", {}, element("small"), element("div", { class: "meter", role: "meter", "aria-valuemin": 0 }, element("i")));

function updateWindow(node, window) {
  const name = window.per_s === 1 ? "second" : window.per_s === 3600 ? "hour" : duration(window.per_s);
  const share = window.used / window.limit;
  say(node.firstChild, `${name}: ${count(window.used)} of ${count(window.limit)}`);
  const meter = node.lastChild;
  meter.className = `meter ${share >= 1 ? "full" : share > 0.9 ? "high" : ""}`;
  meter.setAttribute("aria-label", name);
  meter.setAttribute("aria-valuemax", window.limit);
  meter.setAttribute("aria-valuenow", window.used);
  meter.firstChild.style.width = `${Math.min(100, 100 * share)}%`;
}

/** Return how many requests of a key were answered with `status`, over all workers. */
export function answered(key, status) {
  return Object.values(key.statuses).reduce((sum, statuses) => sum + (statuses[status] ?? 0), 0);
}
