// The case page: deeds by button and key, fresh while somebody looks at it.
import { announce, fragment, keys, live, open, swap, tick, toast } from "./desk.js";

const EVERY_MS = 15_000;
const place = document.getElementById("case");
const here = `/desk/cases/${place.dataset.number}`;
let etag = null;
let asking = null;

const opened = () => document.querySelector("#case-dialogs dialog[open]");
const seen = () => document.getElementById("case-head").dataset.seen;

/** Reads everything anew; what somebody is writing in an open dialog stays, and is about what it is now. */
async function renew() {
  asking ??= fragment(`${here}/parts`, { etag }).finally(() => { asking = null; });
  const { html, etag: fresh } = await asking;
  if (html === null || fresh === etag) return;
  etag = fresh;
  const before = seen();
  const piece = document.createElement("div");
  piece.append(document.createRange().createContextualFragment(html));
  const dialog = opened();
  if (dialog) {
    const same = piece.querySelector(`#${dialog.id}`);
    if (same) {
      dialog.querySelector("[name=seen]").value = same.querySelector("[name=seen]").value;
      piece.querySelector("#case-dialogs").remove();
    } else {
      dialog.close();
      toast("别人刚处理过，这一步现在办不了，已刷新。", { kind: "bad" });
    }
  }
  swap(piece.innerHTML);
  if (seen() !== before) announce("工单有变化，已刷新");
}

const quietly = () => renew().catch(() => { /* the live line says that the connection is lost */ });

function begin(deed) {
  const button = document.querySelector(`[data-case-deed="${deed}"]`);
  if (!button) { toast("工单现在的状态办不了这一步。"); return; }
  if (button.form) { button.form.requestSubmit(button); return; }
  const dialog = document.getElementById(`dialog-${deed}`);
  if (!dialog) return;
  const error = dialog.querySelector(".dialog-error");
  error.hidden = true;
  if (dialog.open) dialog.close();
  open(dialog);
  dialog.querySelector("select, textarea, input:not([type=hidden])")?.focus();
}

place.addEventListener("click", async (event) => {
  const button = event.target.closest("a[data-case-deed]");
  if (button && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    begin(button.dataset.caseDeed);
  }
  const copied = event.target.closest("[data-copy]");
  if (copied) {
    try {
      await navigator.clipboard.writeText(copied.dataset.copy);
      toast("链接已复制", { kind: "ok" });
    } catch {
      toast("没能复制，请长按链接自己复制。", { kind: "bad" });
    }
  }
});
place.addEventListener("keydown", (event) => {
  if (event.key === " " && event.target.matches("a[role=button]")) { event.preventDefault(); event.target.click(); }
});
document.addEventListener("click", (event) => {
  if (event.target.closest("#case-dialogs a[data-close]")) event.preventDefault();
});
document.addEventListener("live:done", (event) => {
  if (event.target.closest("#case-dialogs")) event.target.reset();
  for (const old of document.querySelectorAll("#toasts .toast-bad")) old.remove();
  quietly();
});
document.addEventListener("live:failed", (event) => {
  const { error } = event.detail;
  const words = event.target.querySelector?.(".dialog-error");
  if (words && !event.target.querySelector("[aria-invalid=true]")) { words.textContent = error.message; words.hidden = false; }
  if (error.status === 409) quietly();
});

setInterval(() => {
  if (document.hidden) return;
  const shown = document.getElementById("unmasked");
  if (shown && Date.parse(shown.dataset.expires) <= Date.now()) etag = null;
  quietly();
}, EVERY_MS);
document.addEventListener("visibilitychange", () => { if (!document.hidden) { tick(); quietly(); } });
live.on("again", quietly);
live.on("conversation", ({ id }) => {
  if (document.getElementById("to-talk")?.pathname === `/desk/c/${id}`) quietly();
});

const onCase = { group: "工单" };
for (const [key, label, deed] of [
  ["a", "派单", "assign"], ["s", "开始办理", "start"], ["e", "延期", "extend"], ["d", "办结", "resolve"], ["n", "备注", "note"],
  ["u", "显示姓名电话", "unmask"], ["b", "退回", "return"], ["y", "请职工补充", "ask"], ["i", "告知职工", "supplement"],
  ["p", "催办", "press"], ["v", "回访", "follow_up"], ["f", "归档", "archive"], ["o", "重开", "reopen"],
]) {
  keys.add(key, label, () => begin(deed), { ...onCase, when: () => document.querySelector(`[data-case-deed="${deed}"]`) !== null });
}
keys.add("t", "看会话", () => document.getElementById("to-talk")?.click(), { ...onCase, when: () => document.getElementById("to-talk") !== null });
keys.add("x", "回到工单列表", () => { location.href = "/desk/cases"; }, onCase);

// Opened by the address (?do=), it is made as modal as by a press, and the address forgets it.
const asked = opened();
if (asked) {
  asked.close();
  begin(asked.id.replace("dialog-", ""));
  history.replaceState(null, "", here);
}
