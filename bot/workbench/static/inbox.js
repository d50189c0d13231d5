// The inbox by keys alone: every button with data-key is pressed by it, / goes to the intents, j and k go on and back.
import { keys } from "/desk/static/desk/keys.js";

const group = "收件箱";
const UNREAD_MS = 400;
const decide = document.getElementById("decide");
const press = (element) => { if (element && element.getAttribute("aria-busy") !== "true") element.click(); };

// Nobody has read the next group so soon: a key held down or pressed twice would decide it unseen.
if (decide) setTimeout(() => { decide.dataset.ready = ""; }, UNREAD_MS);
const meant = (event, button) => !event.repeat && (!decide?.contains(button) || "ready" in decide.dataset);

for (const button of document.querySelectorAll("[data-key]")) {
  const label = button.dataset.label ?? button.textContent.trim();
  keys.add(button.dataset.key, label, (event) => { if (meant(event, button)) press(button); }, { group });
}
const other = document.getElementById("other");
if (other) keys.add("/", "找别的意图", () => { other.focus(); other.select(); }, { group });
const sentence = document.getElementById("sentence");
if (sentence) keys.add("e", "改要学的话", () => { sentence.focus(); }, { group });
for (const [key, rel, label] of [["j", "next", "下一组"], ["k", "prev", "上一组"]]) {
  keys.add(key, label, () => press(document.querySelector(`.pager a[rel=${rel}]`)), { group });
}

// One decision is sent once, however often a key is pressed.
decide?.addEventListener("submit", (event) => {
  if (decide.dataset.sent) { event.preventDefault(); return; }
  decide.dataset.sent = "1";
});
window.addEventListener("pageshow", () => { if (decide) delete decide.dataset.sent; });
