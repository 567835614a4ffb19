// Small tools for the page: elements, numbers as people read them, and keyed lists that keep the focus.

/** Return a new element. attributes: a value of null or false is left out; on*: a listener. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

/** Set a text only when it differs, so that selections and screen readers are left in peace. */
export function say(node, text) {
  const wanted = String(text);
  if (node.textContent !== wanted) node.textContent = wanted;
}

/** Bring `parent`'s children in line with `items`: make(key) for new ones, update(node, value), gone ones removed. */
export function keep(parent, items, make, update) {
  const known = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  for (const [key, value] of items) {
    let node = known.get(key);
    if (node === undefined) {
      node = make(key);
      node.dataset.key = key;
      parent.append(node);
    }
    known.delete(key);
    update(node, value);
  }
  for (const node of known.values()) node.remove();
}

/** Return <dt>/<dd> pairs as one group; set(name, text) fills or adds one. */
export function facts(list) {
  const shown = new Map([...list.children].map((group) => [group.dataset.key, group.lastChild]));
  return (name, text) => {
    let node = shown.get(name);
    if (node === undefined) {
      node = element("dd");
      list.append(element("div", { "data-key": name }, element("dt", {}, name), node));
      shown.set(name, node);
    }
    say(node, text);
  };
}

export const count = (number) => number.toLocaleString("en");

export const rate = (number) => (number >= 100 ? number.toFixed(0) : number.toFixed(1));

export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 1) return seconds ? `${Math.ceil(seconds * 1000)} ms` : "0 s";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 129600 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} d`;
}

export const clockTime = (at) => new Date(at * 1000).toLocaleTimeString();

export const megabytes = (bytes) => `${Math.round(bytes / 1e6)} MB`;
