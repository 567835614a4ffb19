// BullMQ, for `scripts/bench queue`: node noops_bullmq.js give|work REDIS_SOCKET FOLDER N AT_ONCE.
// give: enqueue N no-ops. work: say that it is ready, wait for the word to go, then be a worker. As shipped: a finished
// job stays in the set of completed ones, where the benchmark counts it.
const fs = require("fs");
const { Queue, Worker } = require("bullmq");

const [role, path, folder, n, atOnce] = process.argv.slice(2);
const connection = { path, maxRetriesPerRequest: null };

async function give() {
  const queue = new Queue("noops", { connection });
  for (let added = 0; added < Number(n); added += 1000) {
    await queue.addBulk(Array.from({ length: 1000 }, (_, i) => ({ name: "noop", data: { noop: added + i } })));
  }
  await queue.close();
}

async function work() {
  const worker = new Worker("noops", async () => {}, { connection, concurrency: Number(atOnce), autorun: false });
  await worker.waitUntilReady();
  fs.writeFileSync(`${folder}/ready-${process.pid}`, "");
  const look = setInterval(() => {
    if (!fs.existsSync(`${folder}/go`)) return;
    clearInterval(look);
    worker.run();
  }, 10);
}

if (role === "give") give().then(() => process.exit(0));
else work();
