// The wall: fetches its board again after something happened, at most every five seconds, and at least twice a minute.
import { fragment, keys, tick } from "./desk.js";

const EVERY_MS = 5000;
const AT_LEAST_MS = 30000;
const wall = document.getElementById("wall");
const board = document.getElementById("wall-board");
const state = document.getElementById("wall-state");
const full = document.getElementById("wall-full");
let changed = false;
let fetchedAt = Date.now();
let busy = false;

for (const name of ["queue", "conversation", "alert", "presence", "connected"]) {
  document.addEventListener(`desk:${name}`, () => { changed = true; });
}

function choosing() {
  // A list that is redrawn under the hand that chooses from it would be a trap.
  if (board.contains(document.activeElement) && document.activeElement.closest("form")) return true;
  return [...board.querySelectorAll("select")].some((one) => one.value);
}

function say(text, moment) {
  state.textContent = text;
  if (moment) {
    const at = document.createElement("time");
    at.dateTime = moment.toISOString();
    at.textContent = moment.toLocaleTimeString("zh-CN", { timeZone: "Asia/Shanghai", hour12: false });
    state.append(at);
  }
}

async function refresh() {
  if (busy || document.hidden) return;
  if (choosing()) return say("正在选择，暂停刷新");
  busy = true;
  fetchedAt = Date.now();
  changed = false;
  try {
    const { html } = await fragment("/desk/wall/board");
    if (choosing()) return;
    board.innerHTML = html;
    tick();
    say("更新于 ", new Date());
  } catch {
    changed = true;
    say("连接断了，正在重试；下面是断开前的情况");
  } finally {
    busy = false;
  }
}

setInterval(() => {
  const age = Date.now() - fetchedAt;
  if ((changed && age >= EVERY_MS) || age >= AT_LEAST_MS) refresh();
}, 1000);
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });

function toggle() {
  if (document.fullscreenElement) document.exitFullscreen();
  else wall.requestFullscreen();
}
if (wall.requestFullscreen) {
  full.hidden = false;
  full.addEventListener("click", toggle);
  keys.add("f", "全屏", toggle);
}
keys.add("m", "改派：选第一个", () => board.querySelector(".wall-reassign select")?.focus());
board.addEventListener("live:done", (event) => {
  event.target.reset();
  document.activeElement?.blur();
  refresh();
});
