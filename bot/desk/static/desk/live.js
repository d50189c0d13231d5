// The live feed: one stream of server-sent events, opened again with patience when it breaks.
//   live.on("queue" | "conversation" | "alert" | "presence" | "watchers" | "again", fn) gives what takes it away.
//   The same as document events: "desk:queue" … with the data in `detail`, "desk:connected" for "again".
//   "again" comes when the stream is back after a break: whatever a page shows may be old, read it anew.
import { me } from "./net.js";
import { announce, toast } from "./notify.js";
import { alarm } from "./alarm.js";

const EVENTS = ["queue", "conversation", "alert", "presence", "watchers"];
const SILENCE_MS = 40_000;
const listeners = new Map();
let source = null;
let last = "";
let failures = 0;
let broken = false;
let timer = 0;
let watchdog = 0;
let waiting = null;

function state(name, words) {
  const shown = document.getElementById("live");
  if (!shown || shown.dataset.state === name) return;
  shown.dataset.state = name;
  shown.querySelector(".live-text").textContent = words;
}

function tell(event, data) {
  for (const fn of listeners.get(event) ?? []) {
    try { fn(data); } catch (error) { console.error(error); }
  }
  document.dispatchEvent(new CustomEvent(`desk:${event === "again" ? "connected" : event}`, { detail: data }));
}

function heard() {
  clearTimeout(watchdog);
  watchdog = setTimeout(lost, SILENCE_MS);
}

function lost() {
  source?.close();
  source = null;
  clearTimeout(watchdog);
  clearTimeout(timer);
  failures += 1;
  broken = true;
  if (failures > 1) state("lost", "连接断了，正在重连");
  timer = setTimeout(connect, Math.min(30_000, 500 * 2 ** failures) * (0.7 + Math.random() * 0.6));
}

function connect() {
  source = new EventSource(`/desk/events${last ? `?last=${encodeURIComponent(last)}` : ""}`);
  heard();
  source.addEventListener("hello", () => {
    failures = 0;
    heard();
    state("on", "实时");
    if (broken) tell("again", {});
    broken = false;
  });
  source.addEventListener("beat", heard);
  source.addEventListener("bye", (event) => {
    source.close();
    clearTimeout(watchdog);
    const { reason } = JSON.parse(event.data);
    if (reason === "session") location.assign(`/desk/login?next=${encodeURIComponent(location.pathname + location.search)}`);
    else lost();
  });
  for (const name of EVENTS) {
    source.addEventListener(name, (event) => {
      heard();
      if (event.lastEventId) last = event.lastEventId;
      tell(name, JSON.parse(event.data));
    });
  }
  source.onerror = lost;
}

export const live = {
  on(event, fn) {
    if (!listeners.has(event)) listeners.set(event, new Set());
    listeners.get(event).add(fn);
    return () => listeners.get(event).delete(fn);
  },
  start() {
    if (source || timer) return;
    connect();
    addEventListener("online", () => { if (!source) { failures = 0; clearTimeout(timer); connect(); } });
    addEventListener("pagehide", () => { clearTimeout(watchdog); source?.close(); source = null; });
    addEventListener("pageshow", (event) => { if (event.persisted && !source) { broken = true; connect(); } });
  },
};

live.on("queue", ({ counts, urgent, news }) => {
  for (const [tab, count] of Object.entries(counts)) {
    for (const shown of document.querySelectorAll(`[data-count="${tab}"]`)) shown.textContent = count;
  }
  const nav = document.getElementById("nav-waiting");
  if (nav) { nav.textContent = counts.waiting; nav.hidden = !counts.waiting; }
  alarm.badge(counts.waiting + (counts.unread ?? 0));
  if (waiting !== null && (counts.waiting > waiting || news === "urgent")) {
    alarm.beep(news === "urgent");
    announce(news === "urgent" ? `有紧急会话，等候 ${counts.waiting} 个，紧急 ${urgent} 个` : `等候 ${counts.waiting} 个`);
  }
  waiting = counts.waiting;
});
live.on("conversation", ({ author, staff_id: owner, fresh }) => {
  if (fresh && author === "member" && owner === me) alarm.beep();
});
const ALERTS = {
  mention: "有同事在备注里提到您", assigned: "有一件事派给您了", transferred: "有会话转给您",
  warning: "有会话快到承诺的时间了", breach: "有会话过了承诺的时间", bad_rating: "有职工对服务不满意",
  model_fell_back: "新模型上线后变差，已自动退回旧版本", canary_ended: "灰度的新模型变差，已自动停止灰度",
};
live.on("alert", ({ id, kind, href, unread }) => {
  const shown = document.getElementById("unread");
  if (shown) { shown.textContent = unread; shown.hidden = !unread; }
  document.getElementById("bell")?.setAttribute("aria-label", `提醒，${unread} 条未读`);
  if (id) { toast(ALERTS[kind] ?? "有新的提醒", { href }); alarm.beep(kind === "breach" || kind === "bad_rating" || kind === "model_fell_back"); }
});
live.on("presence", ({ staff_id: who, presence }) => {
  const select = document.getElementById("presence");
  if (who === me && select && document.activeElement !== select) select.value = select.dataset.value = presence;
});
