// A list to choose from by typing: arrow keys, Enter, Esc. One at a time, under the composer.

const box = document.getElementById("picker");
const query = document.getElementById("picker-query");
const list = document.getElementById("picker-list");

let open = null; // {items(query) → promise of [{title, hint, value}], choose(value), back}
let shown = [];
let at = 0;
let asked = 0;

/** Whether a picker is open now. */
export function picking() {
  return open !== null;
}

/** Open the picker; `items` gives what fits a query, `choose` gets the value that was taken. */
export function pick({ label, items, choose, back, start = "" }) {
  open = { items, choose, back: back ?? document.activeElement };
  query.value = start;
  query.placeholder = label;
  query.setAttribute("aria-label", label);
  box.hidden = false;
  query.focus();
  refresh();
}

/** Close it and go back to where the focus was. */
export function closePicker() {
  if (!open) return;
  const { back } = open;
  open = null;
  box.hidden = true;
  list.replaceChildren();
  back?.focus();
}

async function refresh() {
  const mine = ++asked;
  const found = await open.items(query.value.trim());
  if (mine !== asked || !open) return;
  shown = found.slice(0, 40);
  at = 0;
  list.replaceChildren(...shown.map(option));
  if (!shown.length) {
    const none = document.createElement("li");
    none.className = "quiet";
    none.textContent = "没有找到";
    list.append(none);
  }
  mark();
}

function option(item, index) {
  const line = document.createElement("li");
  line.id = `picker-${index}`;
  line.setAttribute("role", "option");
  const title = document.createElement("b");
  title.textContent = item.title;
  const hint = document.createElement("span");
  hint.textContent = item.hint ?? "";
  line.append(title, hint);
  line.addEventListener("mousedown", (event) => event.preventDefault());
  line.addEventListener("click", () => take(index));
  return line;
}

function mark() {
  for (const [index, line] of [...list.children].entries()) {
    const chosen = index === at && shown.length > 0;
    line.setAttribute("aria-selected", String(chosen));
    if (chosen) line.scrollIntoView({ block: "nearest" });
  }
  if (shown.length) query.setAttribute("aria-activedescendant", `picker-${at}`);
  else query.removeAttribute("aria-activedescendant");
}

function take(index) {
  if (!open || !shown[index]) return;
  const { choose } = open;
  const { value } = shown[index];
  closePicker();
  choose(value);
}

query.addEventListener("input", refresh);
query.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };
  if (event.key in steps) {
    event.preventDefault();
    at = Math.min(Math.max(at + steps[event.key], 0), Math.max(shown.length - 1, 0));
    mark();
  } else if (event.key === "Enter" || event.key === "Tab") {
    event.preventDefault();
    take(at);
  } else if (event.key === "Escape") {
    event.preventDefault();
    closePicker();
  } else if (event.key === "Backspace" && query.value === "") {
    event.preventDefault();
    closePicker();
  } else {
    return;
  }
  event.stopPropagation();
});
query.addEventListener("blur", () => setTimeout(() => {
  if (open && !box.contains(document.activeElement)) closePicker();
}, 100));

/** How well a query fits a thing: the smaller the better, null for not at all. */
export function fits(text, letters, wanted) {
  if (!wanted) return 0;
  const words = wanted.toLowerCase();
  const place = text.toLowerCase().indexOf(words);
  if (place >= 0) return place;
  const sound = (letters ?? "").indexOf(words);
  if (sound >= 0) return 50 + sound;
  let from = 0;
  for (const character of words) {
    const next = text.toLowerCase().indexOf(character, from);
    if (next < 0) return null;
    from = next + 1;
  }
  return 200;
}

/** Those of the things that fit, the best first. */
export function best(things, wanted, text) {
  return things
    .map((thing) => ({ thing, score: fits(text(thing), thing.letters, wanted) }))
    .filter(({ score }) => score !== null)
    .sort((a, b) => a.score - b.score)
    .map(({ thing }) => thing);
}
