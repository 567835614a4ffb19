// Talking to Gatherer: changes and questions as fetch, the stream of /events with its token and its reconnects.

const TOKEN = "gatherer-token";

export const signIn = (token) => sessionStorage.setItem(TOKEN, token);

function headers(more = {}) {
  const token = sessionStorage.getItem(TOKEN);
  return token ? { Authorization: `Bearer ${token}`, ...more } : more;
}

/** Return the JSON of an address. Error: the detail of a problem, as Gatherer says it. */
export async function ask(path, { method = "GET", body } = {}) {
  const sent = body === undefined ? {} : { body: JSON.stringify(body), headers: headers({ "Content-Type": "application/json" }) };
  const answer = await fetch(path, { method, headers: headers(), ...sent });
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(content.detail ?? `${answer.status} ${answer.statusText}`);
  return content;
}

/** Follow /events for ever. on: {event name: listener(data)}, "open", "lost" and "token" (it is missing or wrong). */
export async function follow(on) {
  for (;;) {
    try {
      const answer = await fetch("events", { headers: headers({ Accept: "text/event-stream" }), cache: "no-store" });
      if (answer.status === 401) {
        on.token();
        return;
      }
      if (!answer.ok) throw new Error(answer.statusText);
      on.open();
      await read(answer.body, on);
    } catch {
      // The program restarts, or the network is away: said below, tried again.
    }
    on.lost();
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

async function read(body, on) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (text + value).split("\n\n");
    text = blocks.pop();
    for (const block of blocks) emit(block, on);
  }
}

function emit(block, on) {
  const [, name] = /^event: (.*)$/m.exec(block) ?? [];
  const [, data] = /^data: (.*)$/m.exec(block) ?? [];
  if (name && data && on[name]) on[name](JSON.parse(data));
}
