// The conversation page: live turns, deeds and their dialogs, keys, who else is here.

import { csrf, fragment, get, keys, live, open, post, tick, toast } from "./desk.js";
import { chooseTab, neighbour, readLists } from "./around.js";
import { composer, refreshComposer, write } from "./composer.js";
import { best, pick } from "./picker.js";
import { here, id, may } from "./talk.js";

const turns = document.getElementById("turns");
const scroll = document.getElementById("scroll");
const toEnd = document.getElementById("to-end");
const older = document.getElementById("older");
const PARTS = ["talk-head", "talk-brief", "talk-panel", "composer-state", "talk-dialogs"];
const BEAT_MS = 10_000;
const TYPING_EVERY_MS = 3_000;
const BOT_LOOK_MS = 4_000;

// ---- the transcript

let unseen = 0;
let stuck = true;
let fetching = null;
let again = false;

const lastId = () => Number([...turns.querySelectorAll("[data-id]")].at(-1)?.dataset.id ?? 0);
const lastDay = () => [...turns.querySelectorAll("[data-day]")].at(-1)?.dataset.day ?? "";
const atEnd = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 60;

function toTheEnd() {
  scroll.scrollTop = scroll.scrollHeight;
  stuck = true;
  unseen = 0;
  toEnd.hidden = true;
}

/** Append what is new; several calls at once are one. */
async function news() {
  if (fetching) {
    again = true;
    return fetching;
  }
  fetching = (async () => {
    do {
      again = false;
      await append();
    } while (again);
  })().catch(() => {}).finally(() => { fetching = null; });
  return fetching;
}

async function append() {
  const query = new URLSearchParams({ after: lastId(), last_day: lastDay() });
  const { html } = await fragment(`${here}/news?${query}`);
  const fresh = document.createElement("template");
  fresh.innerHTML = html;
  let count = 0;
  for (const line of [...fresh.content.children]) {
    if (line.dataset.id && document.getElementById(line.id)) continue;
    if (line.dataset.client) turns.querySelector(`[data-sending="${CSS.escape(line.dataset.client)}"]`)?.remove();
    const sending = turns.querySelector(".is-sending");
    turns.insertBefore(line, sending);
    if (line.dataset.id && !line.classList.contains("is-mine")) count += 1;
  }
  if (stuck) return toTheEnd();
  unseen += count;
  toEnd.hidden = unseen === 0;
  toEnd.textContent = `↓ ${unseen} 条新消息`;
}

async function lookBack() {
  const first = turns.querySelector("[data-id]");
  if (!first || older.hidden || older.disabled) return;
  older.disabled = true;
  try {
    const { html, headers } = await fragment(`${here}/older?before=${first.dataset.id}`);
    const back = document.createElement("template");
    back.innerHTML = html;
    const height = scroll.scrollHeight;
    const day = turns.querySelector(".day");
    const lastBack = [...back.content.querySelectorAll("[data-id]")].at(-1);
    if (day && lastBack?.dataset.day === day.dataset.day) day.remove();
    turns.prepend(back.content);
    scroll.scrollTop += scroll.scrollHeight - height;
    older.hidden = headers.get("X-More") !== "1";
  } catch (refusal) {
    toast(refusal.message, { kind: "bad" });
  } finally {
    older.disabled = false;
  }
}

/** Replace everything around the transcript; what is being written stays. */
async function parts() {
  const { html } = await fragment(`${here}/parts`);
  const fresh = document.createElement("template");
  fresh.innerHTML = html;
  const open = document.querySelector("#talk-dialogs dialog[open]");
  for (const part of PARTS) {
    const next = fresh.content.getElementById(part);
    const now = document.getElementById(part);
    if (!next || !now || (part === "talk-dialogs" && open)) continue;
    const hadFocus = now.contains(document.activeElement) ? document.activeElement.dataset?.deed : null;
    if (part === "talk-brief" && now.querySelector("details")) {
      next.querySelector("details").open = now.querySelector("details").open;
    }
    next.hidden = now.hidden;
    now.replaceWith(next);
    if (hadFocus) next.querySelector(`[data-deed="${hadFocus}"]`)?.focus();
  }
  refreshComposer();
  tick();
  countDown();
}

const all = () => Promise.all([news(), parts().catch(() => {})]);

// ---- what became of what was sent

async function deliveries() {
  const waiting = [...turns.querySelectorAll("[data-pending]")].slice(-50);
  if (!waiting.length || document.hidden) return;
  const query = new URLSearchParams(waiting.map((line) => ["message", line.dataset.id]));
  const found = await get(`${here}/deliveries?${query}`).catch(() => ({}));
  const said = {
    sent: ["is-sent", "✓ 已送达"],
    blocked: ["is-failed", "⊘ 对方已屏蔽，没有送达"],
    failed: ["is-failed", "! 发送失败"],
  };
  for (const line of waiting) {
    const one = found[line.dataset.id];
    if (!one || one.state === "pending") continue;
    line.removeAttribute("data-pending");
    const state = line.querySelector(".delivery .sent-state");
    state.className = `sent-state ${said[one.state][0]}`;
    state.textContent = said[one.state][1] + (one.state === "failed" && one.error ? `：${one.error}` : "");
  }
}

// ---- deeds

const PLAIN = { takeover: {}, resume: {}, finish: {}, release: {} };
const ZERO = { unhold: ["hold", { minutes: 0 }], unsnooze: ["snooze", { minutes: 0 }], unblock: ["block", { hours: 0 }] };
const DIALOGS = { "open-case": "cases" };

async function deed(name, button) {
  if (name === "should-be") return shouldBe(Number(button.dataset.message));
  if (name in PLAIN) return act(name, PLAIN[name]);
  if (name in ZERO) return act(...ZERO[name]);
  const dialog = document.getElementById(`dialog-${DIALOGS[name] ?? name}`);
  return dialog && open(dialog);
}

/** Do what a button of the page offers; nothing when it is not offered now. */
function press(name) {
  const button = document.querySelector(`#talk-head [data-deed="${name}"], #talk-panel [data-deed="${name}"]`);
  if (button) deed(name, button);
  else toast("现在办不了这一步。");
}

async function act(path, fields) {
  try {
    await post(`${here}/${path}`, fields);
    await all();
    if (path === "takeover") write("reply");
  } catch (refusal) {
    toast(refusal.message, { kind: "bad" });
    parts().catch(() => {});
  }
}

async function sendDialog(form) {
  const name = form.dataset.talk;
  const error = form.querySelector(".dialog-error");
  const button = form.querySelector("[type=submit]");
  button.disabled = true;
  try {
    const done = await post(`${here}/${name}`, Object.fromEntries(new FormData(form)));
    form.closest("dialog").close();
    form.reset();
    if (name === "cases") toast(`已开工单 ${done.number}`);
    if (name === "unmask") await reread();
    await all();
  } catch (refusal) {
    error.textContent = refusal.message;
    error.hidden = false;
  } finally {
    button.disabled = false;
  }
}

/** Names and phones are masked in the turns as well: read those on the screen again. */
async function reread() {
  for (const line of [...turns.children]) if (!line.classList.contains("is-sending")) line.remove();
  older.hidden = false;
  await news();
}

let intents = null;

function shouldBe(messageId) {
  pick({
    label: "应为：意图或拼音首字母",
    items: async (query) => {
      intents ??= (await get("/desk/intents").catch(() => ({ intents: [] }))).intents;
      return best(intents, query, (one) => `${one.label} ${one.intent} ${one.topic}`)
        .map((one) => ({ title: one.label, hint: one.topic, value: one }));
    },
    choose: async (one) => {
      try {
        await post(`${here}/should-be`, { message_id: messageId, intent: one.intent });
        noted(messageId, one.label);
        toast(`已记下，应为：${one.label}`);
      } catch (refusal) {
        toast(refusal.message, { kind: "bad" });
      }
    },
  });
}

function noted(messageId, label) {
  const line = document.getElementById(`m${messageId}`);
  const foot = line?.querySelector(".turn-foot");
  if (!foot) return;
  let mark = foot.querySelector(".should");
  if (!mark) {
    mark = document.createElement("span");
    mark.className = "should";
    foot.querySelector("[data-deed=should-be]")?.before(mark);
  }
  mark.textContent = `已记下，应为：${label}`;
  const button = foot.querySelector("[data-deed=should-be]");
  if (button) button.textContent = "改";
}

/** The bot turn the focus or the pointer is on, or the last one. */
function correctable() {
  const pointed = document.activeElement?.closest?.("[data-correctable]") ?? turns.querySelector("[data-correctable]:hover");
  return pointed ?? [...turns.querySelectorAll("[data-correctable]")].at(-1);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-deed]");
  if (button && !button.closest("dialog")) {
    button.closest("details")?.matches(".more-deeds") && button.closest("details").removeAttribute("open");
    deed(button.dataset.deed, button);
  }
});
document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-talk]");
  if (!form) return;
  event.preventDefault();
  sendDialog(form);
});

// ---- who else is here

let typedAt = 0;

async function beat() {
  if (document.hidden) return;
  const typing = Date.now() - typedAt < 2 * TYPING_EVERY_MS;
  const found = await post(`${here}/watch`, { typing }).catch(() => null);
  if (found) showWatching(found.watching);
}

async function look() {
  const found = await get(`${here}/watching`).catch(() => null);
  if (found) showWatching(found.watching);
}

function showWatching(others) {
  const mark = document.getElementById("watching");
  const typing = document.getElementById("typing");
  const names = others.map((one) => one.name).join("、");
  const text = names ? `${names} 也在看` : "";
  if (mark && mark.textContent !== text) mark.textContent = text;
  const writers = others.filter((one) => one.typing).map((one) => one.name).join("、");
  const line = writers ? `${writers} 正在输入…` : "";
  if (typing.textContent !== line) typing.textContent = line;
}

function onTyped() {
  const now = Date.now();
  if (now - typedAt < TYPING_EVERY_MS) return;
  typedAt = now;
  beat();
}

// ---- clocks on the screen

function countDown() {
  const mark = document.querySelector(".unmasked");
  if (!mark) return;
  const left = Math.max(0, Math.floor((Date.parse(mark.dataset.expires) - Date.now()) / 1000));
  mark.querySelector(".countdown").textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  if (left === 0) {
    mark.remove();
    reread().then(parts).catch(() => location.reload());
  }
}

// ---- begin

chooseTab("talk");
const sizes = new ResizeObserver(() => {
  const height = document.getElementById("composer").offsetHeight;
  document.getElementById("talk-main").style.setProperty("--composer", `${height}px`);
  if (stuck) toTheEnd();
});
sizes.observe(document.getElementById("composer"));
sizes.observe(scroll);
sizes.observe(turns); // a picture that comes late makes its turn longer
composer({
  onSent: () => {
    typedAt = 0;
    return all();
  },
  onTyped,
});
older.addEventListener("click", lookBack);
toEnd.addEventListener("click", toTheEnd);
scroll.addEventListener("scroll", () => {
  if (scroll.scrollTop < 80) lookBack();
  stuck = atEnd();
  if (stuck) toTheEnd();
}, { passive: true });
toTheEnd();
countDown();
beat();
readLists();

live.on("conversation", (changed) => {
  if (changed.id !== id) return;
  const head = document.getElementById("talk-head");
  news();
  if (Number(head.dataset.epoch) !== changed.epoch || head.dataset.owner !== changed.owner) parts().catch(() => {});
});
live.on("watchers", (changed) => {
  if (changed.id === undefined || changed.id === id) look();
});
live.on("again", () => { all(); readLists(); });
live.on("queue", readLists);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) {
    beat();
    all();
  }
});
window.addEventListener("pagehide", () => {
  navigator.sendBeacon(`${here}/watch`, new URLSearchParams({ leaving: "true", csrf }));
});
setInterval(beat, BEAT_MS);
setInterval(countDown, 1000);
setInterval(deliveries, 3000);
// The live feed is about what humans have; what the bot alone answers is asked for while somebody looks on.
setInterval(() => {
  if (!document.hidden && document.getElementById("talk-head").dataset.owner === "bot") news();
}, BOT_LOOK_MS);

keys.add("t", "接手", () => press("takeover"));
keys.add("r", "回复", () => (may("reply") ? write("reply") : toast("现在不能回复，先接手。")));
keys.add("n", "写备注", () => may("note") && write("note"));
keys.add("b", "交回机器人", () => press("handback"));
keys.add("x", "转交", () => press("transfer"));
keys.add("h", "请职工稍等", () => press("hold"));
keys.add("z", "稍后再办", () => press("snooze"));
keys.add("w", "应为…", () => {
  const line = correctable();
  if (line) shouldBe(Number(line.dataset.id));
  else toast("没有可以改的机器人回答。");
});
keys.add("c", "开工单", () => press("open-case"));
keys.add("u", "显示姓名电话", () => press("unmask"));
keys.add("[", "上一个会话", () => neighbour(-1));
keys.add("]", "下一个会话", () => neighbour(1));

