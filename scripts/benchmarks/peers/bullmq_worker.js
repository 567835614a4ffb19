// BullMQ, for `recovery --peers`: node bullmq_worker.js give|work REDIS_SOCKET DIARY N SECONDS.
// give: enqueue N jobs of so many seconds. work: be a worker for two at a time. Everything as shipped.
const fs = require("fs");
const { Queue, Worker } = require("bullmq");

const [role, path, diary, n, seconds] = process.argv.slice(2);
const connection = { path, maxRetriesPerRequest: null };
const now = () => Number(process.hrtime.bigint()) / 1e9; // CLOCK_MONOTONIC, as Python's time.monotonic
const note = (word, job) => fs.appendFileSync(diary, `${word} ${job} ${process.pid} ${now()}\n`);
const sleep = (s) => new Promise((done) => setTimeout(done, 1000 * s));

async function give() {
  const queue = new Queue("rest", { connection });
  for (let job = 0; job < Number(n); job++) await queue.add("rest", { job });
  await queue.close();
}

async function rest({ data }) {
  note("began", data.job);
  await sleep(Number(seconds));
  note("ended", data.job);
}

if (role === "give") give().then(() => process.exit(0));
else new Worker("rest", rest, { connection, concurrency: 2 });
