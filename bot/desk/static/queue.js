// The queue page: fresh by the live feed, worked by keys; the chosen row survives a refresh.
import { keys, live, palette, post, tick, toast } from "./desk.js";
import { refresh } from "./desk/swap.js";

const list = document.getElementById("queue");
const EVERY_MS = 800;
let chosen = null;
let timer = 0;
let asked = 0;

const rows = () => [...list.querySelectorAll(".qrow")];
const current = () => rows().find((row) => row.dataset.id === chosen) ?? null;

function choose(row, focus = true) {
  for (const one of rows()) one.removeAttribute("aria-current");
  chosen = row?.dataset.id ?? null;
  row?.setAttribute("aria-current", "true");
  if (row && focus) { row.focus(); row.scrollIntoView({ block: "nearest" }); }
}

function step(by) {
  const all = rows();
  const at = all.indexOf(current());
  choose(all[Math.min(all.length - 1, Math.max(0, at < 0 ? 0 : at + by))]);
}

async function renew() {
  clearTimeout(timer);
  const wait = asked + EVERY_MS - Date.now();
  if (wait > 0) { timer = setTimeout(renew, wait); return; }
  asked = Date.now();
  try {
    const { changed, focused } = await refresh(list);
    if (changed) choose(current(), focused);
  } catch { /* the live line says that the connection is lost */ }
}

async function takeOver() {
  const row = current() ?? rows()[0];
  if (!row) return;
  if (row.dataset.mine !== undefined) { location.assign(row.href); return; }
  try {
    await post(`/desk/c/${row.dataset.id}/takeover`);
    location.assign(row.href);
  } catch (error) {
    toast(error.message, { kind: "bad" });
    renew();
  }
}

list.addEventListener("focusin", (event) => {
  const row = event.target.closest(".qrow");
  if (row && row.dataset.id !== chosen) choose(row, false);
});
live.on("queue", renew);
live.on("conversation", renew);
live.on("again", renew);
document.addEventListener("visibilitychange", () => { if (!document.hidden) { tick(); renew(); } });

const inQueue = { group: "会话列表" };
keys.add("j", "下一个", () => step(1), inQueue);
keys.add("k", "上一个", () => step(-1), inQueue);
keys.add("Enter", "打开", () => { const row = current(); if (row) location.assign(row.href); }, { ...inQueue, when: () => current() !== null && document.activeElement === document.body });
keys.add("t", "接手选中的（没选就是第一个）", takeOver, inQueue);
document.querySelectorAll(".queue-tabs a").forEach((tab, at) => {
  keys.add(String(at + 1), tab.firstChild.textContent.trim(), () => tab.click(), inQueue);
});
keys.add("f", "筛选", () => { document.getElementById("queue-filters").open = true; document.getElementById("f-topic").focus(); }, inQueue);
for (const link of document.querySelectorAll(".kept-name")) palette.add(`筛选：${link.textContent}`, () => link.click());
if (matchMedia("(max-width: 760px)").matches) document.getElementById("queue-filters").open = false;
