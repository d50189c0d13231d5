// The desk's behaviour, on every page. Pages import what they need from here and nowhere else:
//   import { keys, palette, live, post, get, fragment, toast, ask, open, swap, announce, tick, me } from "./desk.js";
// docs/desk.md lists the registry, the attributes (data-live, data-then, data-confirm …) and the events.
import { me } from "./desk/net.js";
import { keys, showHelp } from "./desk/keys.js";
import { palette } from "./desk/palette.js";
import { live } from "./desk/live.js";
import { alarm } from "./desk/alarm.js";
import { tick } from "./desk/times.js";
import { announce, toast } from "./desk/notify.js";
import "./desk/forms.js";

export { ApiError, csrf, fragment, get, me, post } from "./desk/net.js";
export { keys, showHelp } from "./desk/keys.js";
export { palette } from "./desk/palette.js";
export { live } from "./desk/live.js";
export { alarm } from "./desk/alarm.js";
export { submit } from "./desk/forms.js";
export { swap } from "./desk/swap.js";
export { tick } from "./desk/times.js";
export { announce, ask, open, toast } from "./desk/notify.js";

// On a phone the bar below holds more than fits: where one is stands in sight.
document.querySelector(".nav a[aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });

function switchTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  try { localStorage.setItem("desk.theme", root.dataset.theme); } catch { /* it lasts as long as the page */ }
  announce(dark ? "已换成浅色" : "已换成深色");
}

function switchSound() {
  toast(alarm.toggle() ? "提示音打开了" : "提示音关掉了");
}

const run = { theme: switchTheme, sound: switchSound, help: showHelp, palette: () => palette.open() };
document.addEventListener("click", (event) => {
  const asked = event.target.closest("[data-run]");
  if (asked && run[asked.dataset.run]) {
    asked.closest("details")?.removeAttribute("open");
    run[asked.dataset.run]();
  }
  for (const menu of document.querySelectorAll("details.menu-box[open], details.more-deeds[open]")) {
    if (!menu.contains(event.target)) menu.removeAttribute("open");
  }
});

const everywhere = { group: "到处都能用" };
keys.add("?", "看快捷键", showHelp, everywhere);
keys.add("mod+k", "命令面板", () => palette.open(), everywhere);
keys.add("/", "搜索", () => {
  const box = document.querySelector("main input[type=search]");
  if (box) { box.focus(); box.select(); } else palette.open();
}, everywhere);
for (const link of document.querySelectorAll(".nav a[data-go]")) {
  const label = link.firstChild.textContent.trim();
  keys.add(`g ${link.dataset.go}`, `去${label}`, () => { location.href = link.href; }, everywhere);
}
if (me) {
  palette.add("我的账号", () => { location.href = "/desk/profile"; });
  palette.add("换成深色 / 浅色", switchTheme);
  palette.add("打开 / 关掉提示音", switchSound);
  for (const [value, label] of [["online", "在线"], ["away", "离开"], ["offline", "离线"]]) {
    palette.add(`我的状态：${label}`, () => {
      const select = document.getElementById("presence");
      if (select) { select.value = value; select.dispatchEvent(new Event("change", { bubbles: true })); }
    });
  }
  palette.add("退出", () => document.querySelector('form[action="/desk/logout"]')?.requestSubmit());
  live.start();
}
tick();
setInterval(tick, 10_000);
