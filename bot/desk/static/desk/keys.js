// Keyboard: a registry of keys. `keys.add("t", "接手", fn)`; sequences are "g q", with Ctrl/⌘ "mod+k".
import { open } from "./notify.js";

const SEQUENCE_MS = 900;
const known = new Map();
let begun = "";
let timer = 0;

const typing = (target) => target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");

export const keys = {
  /** `when()` says whether it works now; `inFields` lets it work while typing; gives what takes it away again. */
  add(key, label, fn, { group = "这一页", when = () => true, inFields = key.startsWith("mod+") } = {}) {
    known.set(key, { key, label, fn, group, when, inFields });
    return () => { if (known.get(key)?.fn === fn) known.delete(key); };
  },
  remove(key) { known.delete(key); },
  list() { return [...known.values()]; },
};

function nameOf(event) {
  const mod = event.ctrlKey || event.metaKey ? "mod+" : "";
  const key = event.key.length === 1 && mod ? event.key.toLowerCase() : event.key;
  return mod + (event.altKey ? "alt+" : "") + (event.shiftKey && key.length > 1 ? "shift+" : "") + key;
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || ["Shift", "Control", "Meta", "Alt"].includes(event.key)) return;
  const inField = typing(event.target);
  const name = nameOf(event);
  if (event.key === "Escape" && inField && !event.target.closest("dialog")) { event.target.blur(); return; }
  if (event.target.closest?.("dialog")) return;
  const found = known.get(begun ? `${begun} ${name}` : name) ?? (begun ? known.get(name) : null);
  begun = "";
  clearTimeout(timer);
  if (found && (!inField || found.inFields) && found.when()) {
    event.preventDefault();
    found.fn(event);
  } else if (!inField && [...known.keys()].some((key) => key.startsWith(`${name} `))) {
    begun = name;
    timer = setTimeout(() => { begun = ""; }, SEQUENCE_MS);
  }
});

const SAID = { "mod": /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘" : "Ctrl", ArrowDown: "↓", ArrowUp: "↑", Enter: "回车" };

export function caps(key) {
  return key.split(" ").map((one) => one.split("+").map((part) => SAID[part] ?? (part.length === 1 ? part.toUpperCase() : part)).join("+"));
}

export function showHelp() {
  const box = open(document.getElementById("help-template"));
  const groups = new Map();
  for (const one of keys.list()) groups.set(one.group, [...(groups.get(one.group) ?? []), one]);
  for (const [group, listed] of groups) {
    const section = document.createElement("section");
    const title = document.createElement("h3");
    title.textContent = group;
    const list = document.createElement("dl");
    for (const one of listed) {
      const term = document.createElement("dt");
      for (const cap of caps(one.key)) {
        const shown = document.createElement("kbd");
        shown.textContent = cap;
        term.append(shown, " ");
      }
      const meaning = document.createElement("dd");
      meaning.textContent = one.label;
      list.append(term, meaning);
    }
    section.append(title, list);
    box.querySelector(".help-body").append(section);
  }
}
