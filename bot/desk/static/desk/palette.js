// Command palette: every key's command, the navigation, and conversations and cases found by what is typed.
import { caps, keys } from "./keys.js";
import { get } from "./net.js";
import { open } from "./notify.js";

const KINDS = { conversation: "会话", case: "工单" };
const WHY = { id: "编号", name: "姓名", phone: "电话", number: "工单号", text: "说过的话" };
const extra = [];

/** Letters in their order, the closer together and the earlier the better; null when they are not all there. */
export function score(needle, hay) {
  let at = -1;
  let cost = 0;
  const text = hay.toLowerCase();
  for (const letter of needle.toLowerCase().replace(/\s/g, "")) {
    const next = text.indexOf(letter, at + 1);
    if (next < 0) return null;
    cost += next - at - 1;
    at = next;
  }
  return cost;
}

function commands() {
  const own = keys.list().filter((one) => one.when() && one.key !== "mod+k")
    .map((one) => ({ label: one.label, hint: caps(one.key).join(" "), run: one.fn }));
  return [...own, ...extra];
}

async function found(text, signal) {
  if (text.trim().length < 2) return [];
  const { results } = await get(`/desk/find?q=${encodeURIComponent(text.trim())}`, { signal });
  return results.map((one) => ({
    label: `${KINDS[one.kind]}：${one.name ?? "未留姓名"}${one.topic ? ` · ${one.topic}` : ""}`,
    hint: WHY[one.why] ?? "",
    run: () => { location.href = one.href; },
  }));
}

function show() {
  const box = open(document.getElementById("palette-template"));
  const input = box.querySelector("input");
  const list = box.querySelector(".palette-list");
  let options = [];
  let chosen = 0;
  let looking = new AbortController();
  let timer = 0;

  const choose = (index) => {
    chosen = options.length ? (index + options.length) % options.length : 0;
    [...list.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === chosen)));
    list.children[chosen]?.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", options.length ? `palette-${chosen}` : "");
  };
  const draw = (listed) => {
    options = listed;
    list.replaceChildren(...listed.map((one, at) => {
      const item = document.createElement("li");
      item.id = `palette-${at}`;
      item.setAttribute("role", "option");
      const label = document.createElement("span");
      label.textContent = one.label;
      const hint = document.createElement("small");
      hint.textContent = one.hint ?? "";
      item.append(label, hint);
      item.addEventListener("click", () => pick(at));
      return item;
    }));
    box.querySelector(".palette-empty").hidden = listed.length > 0;
    choose(0);
  };
  const matching = (text) => commands().map((one) => ({ one, cost: score(text, one.label) }))
    .filter(({ cost }) => cost !== null).sort((a, b) => a.cost - b.cost).map(({ one }) => one).slice(0, 30);
  const pick = (at) => { const one = options[at]; box.close(); if (one) one.run(); };

  input.addEventListener("input", () => {
    draw(matching(input.value));
    clearTimeout(timer);
    looking.abort();
    looking = new AbortController();
    timer = setTimeout(async () => {
      try {
        const more = await found(input.value, looking.signal);
        if (more.length) draw([...more, ...matching(input.value)]);
      } catch { /* what is typed next asks again */ }
    }, 180);
  });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "ArrowDown") choose(chosen + 1);
    else if (event.key === "ArrowUp") choose(chosen - 1);
    else if (event.key === "Enter") pick(chosen);
    else return;
    event.preventDefault();
  });
  box.addEventListener("close", () => { clearTimeout(timer); looking.abort(); }, { once: true });
  draw(matching(""));
}

export const palette = {
  open: show,
  /** A command that has no key. */
  add(label, run, hint = "") { extra.push({ label, run, hint }); },
};
