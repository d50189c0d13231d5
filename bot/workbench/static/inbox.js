// The inbox by keys alone: every button with data-key is pressed by it, / goes to the intents, j and k go on and back.
import { keys } from "/desk/static/desk/keys.js";

const group = "收件箱";
const press = (element) => { if (element && element.getAttribute("aria-busy") !== "true") element.click(); };

for (const button of document.querySelectorAll("[data-key]")) {
  keys.add(button.dataset.key, button.dataset.label ?? button.textContent.trim(), () => press(button), { group });
}
const other = document.getElementById("other");
if (other) keys.add("/", "找别的意图", () => { other.focus(); other.select(); }, { group });
const sentence = document.getElementById("sentence");
if (sentence) keys.add("e", "改要学的话", () => { sentence.focus(); }, { group });
for (const [key, rel, label] of [["j", "next", "下一组"], ["k", "prev", "上一组"]]) {
  keys.add(key, label, () => press(document.querySelector(`.pager a[rel=${rel}]`)), { group });
}

// One decision is sent once, however often a key is pressed.
document.getElementById("decide")?.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) { event.preventDefault(); return; }
  event.target.dataset.sent = "1";
});
window.addEventListener("pageshow", () => { delete document.getElementById("decide")?.dataset.sent; });
