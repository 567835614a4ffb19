// The newest jobs that failed, with the reason, and what can be done about them.

import { ask } from "./api.js";
import { clockTime, element } from "./page.js";
import { announce } from "./workers.js";

export function showFailures(jobs) {
  const panel = document.getElementById("failures");
  if (!jobs.length) {
    panel.replaceChildren(element("p", { class: "quiet" }, "None: nothing was discarded, nothing waits to be tried again."));
    return;
  }
  const head = element("tr", {}, ...["when", "worker", "entity", "state", "why", ""].map((name) => element("th", { scope: "col" }, name)));
  panel.replaceChildren(element("div", { class: "scroll" }, element("table", {}, element("thead", {}, head), element("tbody", {}, ...jobs.map(row)))));
}

function row(job) {
  const tried = job.attempt > 1 ? ` (attempt ${job.attempt})` : "";
  return element(
    "tr",
    { "data-job": job.id },
    element("td", {}, clockTime(job.finished_at ?? job.started_at ?? job.created_at)),
    element("td", {}, job.worker),
    element("td", {}, element("code", {}, job.entity)),
    element("td", {}, job.state + tried),
    element("td", { class: "error" }, job.error || job.note || job.outcome || ""),
    element("td", {}, button(job, "retry"), " ", job.state === "discarded" ? "" : button(job, "discard")),
  );
}

function button(job, what) {
  const run = async (event) => {
    event.target.disabled = true;
    try {
      await ask(`jobs/${job.id}/${what}`, { method: "POST" });
      announce(`job ${job.id}, ${job.entity}: ${what === "retry" ? "runs again" : "discarded"}`);
    } catch (error) {
      announce(error.message);
    }
  };
  return element("button", { onclick: run, "aria-label": `${what} job ${job.id}, ${job.entity}` }, what === "retry" ? "Retry" : "Discard");
}
