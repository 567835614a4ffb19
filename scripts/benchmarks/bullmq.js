// A worker process of BullMQ with its own limiter, or with "fill" the one that adds the jobs.
// node bullmq.js FOLDER PORT work URL TOKEN NAMESPACE TASKS LIMIT | node bullmq.js FOLDER PORT fill JOBS
const [folder, port, what, ...rest] = process.argv.slice(2);
const { Queue, Worker } = require(`${folder}/node_modules/bullmq`);
const connection = { host: "127.0.0.1", port: Number(port), maxRetriesPerRequest: null };

async function fill(jobs) {
  const queue = new Queue("requests", { connection });
  for (let added = 0; added < jobs; added += 500) {
    await queue.addBulk(Array.from({ length: 500 }, () => ({ name: "request", data: {}, opts: { removeOnComplete: true } })));
  }
  await queue.close();
}

function work([url, token, namespace, tasks, limit]) {
  const headers = { Authorization: `Bearer ${token}`, "Battlenet-Namespace": namespace };
  const send = async () => { await (await fetch(url, { headers })).arrayBuffer(); };
  const limiter = { max: Number(limit), duration: 1000 };
  new Worker("requests", send, { connection, concurrency: Number(tasks), limiter });
}

if (what === "fill") fill(Number(rest[0]));
else work(rest);
