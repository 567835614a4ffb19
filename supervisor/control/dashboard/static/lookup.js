// What is known of one entity, and a wish to have it fresh.

import { ask } from "./api.js";
import { element } from "./page.js";
import { announce } from "./workers.js";

const MOMENT = /_at$|_since$|^(at|expires)$/;

export function listen(workers) {
  const form = document.getElementById("lookup");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    show();
  });
  document.getElementById("refresh").addEventListener("click", () => form.reportValidity() && refresh(workers()));
}

const wanted = () => document.getElementById("entity").value.trim();

const path = () => wanted().split("/").map(encodeURIComponent).join("/");

async function show() {
  const found = document.getElementById("found");
  try {
    const { worker, entity, rows } = await ask(`entities/${path()}`);
    found.replaceChildren(...Object.entries(rows).filter(([, each]) => each.length).map(([name, each]) => table(`${worker}: ${entity}`, name, each)));
  } catch (error) {
    found.replaceChildren(element("p", { class: "panel" }, error.message));
  }
}

function table(title, name, rows) {
  const columns = Object.keys(rows[0]).filter((column) => rows.some((row) => row[column] !== null));
  if (rows.length === 1) {
    const pairs = columns.map((column) => element("tr", {}, element("th", { scope: "row" }, column), element("td", {}, written(column, rows[0][column]))));
    return element("article", { class: "panel scroll" }, element("h3", {}, title), element("table", {}, ...pairs));
  }
  const head = element("tr", {}, ...columns.map((column) => element("th", { scope: "col" }, column)));
  const body = rows.slice(0, 100).map((row) => element("tr", {}, ...columns.map((column) => element("td", {}, written(column, row[column])))));
  return element("article", { class: "panel scroll" }, element("h3", {}, `${name} (${rows.length})`), element("table", {}, element("thead", {}, head), element("tbody", {}, ...body)));
}

function written(column, value) {
  if (value === null) return "";
  if (MOMENT.test(column) && typeof value === "number" && value > 1e8) return new Date(value * 1000).toLocaleString();
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

async function refresh(workers) {
  const body = { entity: wanted(), priority: "urgent", max_age_s: 0, provenance: "dashboard" };
  let first;
  for (const worker of likely(workers)) {
    try {
      const { jobs } = await ask("jobs", { method: "POST", body: { worker, ...body } });
      announce(`${worker}: refreshing ${wanted()}`);
      const job = await ask(`jobs/${jobs[0].id}/wait?timeout_s=60`);
      announce(`${worker}, ${job.entity}: ${job.outcome ?? job.state} ${job.note ?? job.error ?? ""}`);
      await show();
      return;
    } catch (error) {
      first ??= error;
    }
  }
  announce(first?.message ?? "no worker takes this");
}

/** Return worker names, those first whose entities have as many parts as the text. */
function likely(workers) {
  const parts = wanted().split("/").length;
  const names = Object.keys(workers).filter((name) => !(workers[name].entity ?? "").startsWith("word"));
  const misses = (name) => Number((workers[name].entity ?? "").split("/").length !== parts);
  return names.sort((one, other) => misses(one) - misses(other));
}
