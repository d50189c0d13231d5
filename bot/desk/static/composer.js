// The composer: replies and notes, drafts, files, canned replies and articles. Text is never lost:
// it stays until the server has it, and a turn that failed is sent again under the very same id.

import { get, post } from "./desk.js";
import { here, id, may } from "./talk.js";
import { best, pick, picking } from "./picker.js";

const form = document.getElementById("composer");
const words = document.getElementById("words");
const turns = document.getElementById("turns");
const error = document.getElementById("composer-error");
const send = document.getElementById("send");
const hint = document.getElementById("composer-hint");
const fileList = document.getElementById("files");
const OPEN_VARIABLE = "【待填】";
const draftKey = (mode) => `desk.draft.${id}.${mode}`;

let files = []; // {id, name}
let articles = []; // {topic, text}: quoted so long as their text still stands in the words
let sent = () => {};
let typed = () => {};

/** Wire the composer; `onSent` is called when something was stored, `onTyped` at every key. */
export function composer({ onSent, onTyped }) {
  sent = onSent;
  typed = onTyped;
  words.value = sessionStorage.getItem(draftKey(mode())) ?? "";
  form.addEventListener("submit", submit);
  words.addEventListener("keydown", key);
  words.addEventListener("input", input);
  words.addEventListener("paste", paste);
  for (const radio of form.elements.mode) radio.addEventListener("change", switched);
  document.getElementById("open-canned").addEventListener("click", () => pickCanned());
  document.getElementById("open-articles").addEventListener("click", pickArticle);
  const chooser = document.getElementById("file");
  document.getElementById("open-file").addEventListener("click", () => chooser.click());
  chooser.addEventListener("change", (event) => {
    upload(event.target.files);
    event.target.value = "";
  });
  form.addEventListener("dragover", (event) => event.preventDefault());
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    upload(event.dataTransfer.files);
  });
  refreshComposer();
}

/** reply or note. */
export function mode() {
  return form.elements.mode.value;
}

/** Begin to write a reply or a note. */
export function write(what) {
  for (const radio of form.elements.mode) if (radio.value === what && !radio.disabled) radio.click();
  words.focus();
}

/** Adapt to who speaks now; what is written stays. */
export function refreshComposer() {
  const [reply, note] = form.elements.mode;
  reply.disabled = !may("reply");
  note.disabled = !may("note");
  if (reply.disabled && !note.disabled && mode() === "reply" && !words.value.trim()) note.checked = true;
  const allowed = may(mode());
  form.classList.toggle("is-note", mode() === "note");
  form.hidden = !may("reply") && !may("note") && !words.value;
  words.readOnly = !allowed && !words.value;
  send.disabled = !allowed;
  send.textContent = mode() === "note" ? "记下备注" : "发送";
  const reason = document.querySelector(".composer-why:not(.is-fine)")?.textContent;
  words.placeholder = allowed
    ? mode() === "note" ? "内部备注，职工看不到；@ 提到同事" : "回复职工；行首 / 选常用语，Ctrl+J 选知识"
    : reason ?? "";
  if (!allowed && words.value) say("现在不能发给职工，写好的内容还在。");
  else if (error.dataset.kind === "owner") say("");
  if (!allowed && words.value) error.dataset.kind = "owner";
}

function switched() {
  for (const one of ["reply", "note"]) {
    if (one !== mode()) keep(one);
  }
  words.value = sessionStorage.getItem(draftKey(mode())) ?? "";
  say("");
  refreshComposer();
  words.focus();
}

function keep(which = mode()) {
  try {
    if (words.value) sessionStorage.setItem(draftKey(which), words.value);
    else sessionStorage.removeItem(draftKey(which));
  } catch {
    // storage is full or forbidden: only the draft's survival of a reload is lost
  }
}

function say(text, kind = "") {
  error.textContent = text;
  error.hidden = !text;
  error.dataset.kind = kind;
}

function input(event) {
  keep();
  typed();
  const open = words.value.includes(OPEN_VARIABLE) && mode() === "reply";
  hint.textContent = open ? `还有 ${OPEN_VARIABLE} 没填，填好才能发` : "Enter 发送，Shift+Enter 换行";
  hint.classList.toggle("is-warning", open);
  if (event?.isComposing || picking()) return;
  const before = words.value.slice(0, words.selectionStart);
  const line = before.slice(before.lastIndexOf("\n") + 1);
  if (mode() === "reply" && ["/", ";", "；", "、"].includes(line) && event?.data === line) {
    replace(words.selectionStart - 1, words.selectionStart, "");
    pickCanned();
  } else if (mode() === "note" && event?.data === "@") {
    pickColleague();
  }
}

function key(event) {
  if (event.isComposing || event.keyCode === 229) return;
  if (event.key === "Enter" && !event.shiftKey && !event.altKey) {
    event.preventDefault();
    form.requestSubmit();
  } else if (event.key.toLowerCase() === "j" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    pickArticle();
  } else if (event.key === "Escape") {
    words.blur();
  }
}

function replace(from, to, text) {
  words.setRangeText(text, from, to, "end");
  words.dispatchEvent(new Event("input"));
}

async function submit(event) {
  event.preventDefault();
  const text = words.value.trim();
  const what = mode();
  if (!may(what)) return refreshComposer();
  if (!text && !(what === "reply" && files.length)) return;
  if (what === "reply" && text.includes(OPEN_VARIABLE)) {
    const place = words.value.indexOf(OPEN_VARIABLE);
    words.setSelectionRange(place, place + OPEN_VARIABLE.length);
    return say(`还有 ${OPEN_VARIABLE} 没填，填好才能发。`);
  }
  say("");
  const turn = {
    what,
    text,
    client: newId(),
    files: what === "reply" ? files : [],
    articles: what === "reply" ? articles.filter((one) => text.includes(one.mark)).map((one) => one.topic) : [],
  };
  words.value = "";
  keep();
  if (what === "reply") {
    files = [];
    articles = [];
    showFiles();
  }
  input();
  await deliver(turn, optimistic(turn));
}

/** A name for a turn; sent again under it, it is still one message. (randomUUID needs https.) */
function newId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function deliver(turn, line) {
  const state = line.querySelector(".sent-state");
  state.className = "sent-state is-pending";
  state.textContent = "… 发送中";
  line.querySelector("button")?.remove();
  try {
    if (turn.what === "note") {
      await post(`${here}/note`, { text: turn.text });
    } else {
      await post(`${here}/reply`, {
        text: turn.text,
        client_message_id: turn.client,
        attachment: turn.files.map((file) => file.id),
        article: turn.articles,
      });
    }
    line.classList.remove("is-failed");
    state.textContent = "";
    line.dataset.stored = "1";
    await sent();
    line.remove();
  } catch (refusal) {
    line.classList.add("is-failed");
    state.className = "sent-state is-failed";
    state.textContent = `! ${refusal.message}`;
    const again = button("重发", () => deliver(turn, line));
    const back = button("放回输入框", () => {
      words.value = words.value ? `${turn.text}\n${words.value}` : turn.text;
      if (turn.what === "reply") files = [...turn.files, ...files];
      showFiles();
      line.remove();
      words.focus();
      input();
    });
    line.querySelector(".turn-foot").append(again, back);
    if (refusal.status === 403 || refusal.status === 409) sent();
  }
}

function button(text, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "link";
  made.textContent = text;
  made.addEventListener("click", () => {
    for (const one of [...made.parentElement.querySelectorAll("button")]) one.remove();
    act();
  });
  return made;
}

function optimistic(turn) {
  const line = document.createElement("li");
  line.className = `turn is-mine ${turn.what === "note" ? "turn-note" : "turn-staff"} is-sending`;
  if (turn.what === "reply") line.dataset.sending = turn.client;
  const text = document.createElement("div");
  text.className = "turn-text";
  text.textContent = turn.text || turn.files.map((file) => `📎 ${file.name}`).join("\n");
  const foot = document.createElement("p");
  foot.className = "turn-foot";
  const state = document.createElement("span");
  state.className = "sent-state";
  foot.append(state);
  line.append(text, foot);
  turns.append(line);
  line.scrollIntoView({ block: "end" });
  return line;
}

// ---- files

async function upload(chosen) {
  if (!may("reply")) return say("现在不能给职工发文件。");
  for (const file of [...chosen].slice(0, 5)) {
    const body = new FormData();
    body.append("file", file);
    say(`正在上传 ${file.name}…`);
    try {
      const kept = await post(`${here}/files`, body);
      files.push({ id: kept.id, name: kept.filename });
      say("");
    } catch (refusal) {
      say(refusal.message);
    }
    showFiles();
  }
}

function paste(event) {
  const pasted = [...event.clipboardData.files];
  if (!pasted.length) return;
  event.preventDefault();
  upload(pasted);
}

function showFiles() {
  fileList.replaceChildren(...files.map((file) => {
    const line = document.createElement("li");
    line.textContent = `📎 ${file.name} `;
    const away = document.createElement("button");
    away.type = "button";
    away.className = "link";
    away.textContent = "去掉";
    away.setAttribute("aria-label", `去掉 ${file.name}`);
    away.addEventListener("click", () => {
      files = files.filter((one) => one.id !== file.id);
      showFiles();
    });
    line.append(away);
    return line;
  }));
}

// ---- what can be inserted

function pickCanned() {
  if (!may("reply")) return;
  pick({
    label: "常用语：关键字、标题或内容",
    back: words,
    items: async (query) => {
      const found = await get(`${here}/canned?q=${encodeURIComponent(query)}`).catch(() => ({ canned: [] }));
      return found.canned.map((one) => ({ title: `${one.keyword}　${one.title}`, hint: one.text, value: one }));
    },
    choose: (one) => {
      replace(words.selectionStart, words.selectionEnd, one.text);
      const place = words.value.indexOf(OPEN_VARIABLE);
      if (place >= 0) words.setSelectionRange(place, place + OPEN_VARIABLE.length);
    },
  });
}

let articleList = null;
const ENOUGH_NAMED = 6; // with fewer whose name fits, the server looks into the articles as well

function pickArticle() {
  if (!may("reply")) return;
  pick({
    label: "知识：题目、拼音首字母，或职工的话",
    back: words,
    items: async (query) => {
      articleList ??= (await get("/desk/articles").catch(() => ({ articles: [] }))).articles;
      const named = best(articleList, query, (one) => `${one.label} ${one.title} ${one.topic}`)
        .map((one) => ({ title: one.label, hint: one.title, value: one.topic }));
      if (named.length >= ENOUGH_NAMED || query.length < 2) return named;
      const near = await get(`/desk/knowledge/search?q=${encodeURIComponent(query.slice(0, 200))}`)
        .catch(() => ({ articles: [] }));
      const known = new Set(named.map((one) => one.value));
      return named.concat(near.articles.filter((one) => !known.has(one.topic))
        .map((one) => ({ title: one.label, hint: one.snippet, value: one.topic })));
    },
    choose: async (topic) => {
      try {
        const found = await get(`/desk/articles/${encodeURIComponent(topic)}`);
        // The source line closes the text: so long as it stands, the sources go with the message.
        articles.push({ topic, mark: found.text.trim().split("\n").at(-1) });
        replace(words.selectionStart, words.selectionEnd, found.text);
      } catch (refusal) {
        say(refusal.message);
      }
    },
  });
}

let colleagueList = null;

function pickColleague() {
  const at = words.selectionStart;
  pick({
    label: "提到哪位同事",
    back: words,
    items: async (query) => {
      colleagueList ??= (await get("/desk/colleagues").catch(() => ({ colleagues: [] }))).colleagues;
      return best(colleagueList, query, (one) => `${one.name} ${one.login} ${one.badge ?? ""}`)
        .map((one) => ({ title: one.name, hint: `@${one.login}`, value: one.login }));
    },
    choose: (login) => replace(at, words.selectionStart, `${login} `),
  });
}
