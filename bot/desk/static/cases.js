// Lists of cases and of what a search found, worked by keys: the chosen row has the focus.
import { keys } from "./desk.js";

const links = () => [...document.querySelectorAll("#cases .case-link, #hits .hit")];

function step(by) {
  const all = links();
  if (!all.length) return;
  const at = all.indexOf(document.activeElement);
  const next = all[Math.min(all.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

const here = { group: document.getElementById("q") ? "搜索结果" : "工单列表" };
keys.add("j", "下一个", () => step(1), here);
keys.add("k", "上一个", () => step(-1), here);
keys.add("Enter", "打开", () => document.activeElement.click(), { ...here, when: () => links().includes(document.activeElement) });
document.querySelectorAll(".cases-tabs a").forEach((tab, at) => {
  keys.add(String(at + 1), tab.firstChild.textContent.trim(), () => tab.click(), here);
});
for (const [key, label, rel] of [["]", "下一页", "next"], ["[", "上一页", "prev"]]) {
  const link = document.querySelector(`.pager [rel=${rel}]`);
  if (link) keys.add(key, label, () => link.click(), here);
}
const filters = document.getElementById("case-filters");
if (filters) {
  keys.add("f", "筛选", () => { filters.open = true; document.getElementById("f-state").focus(); }, here);
  if (matchMedia("(max-width: 760px)").matches && filters.dataset.filtered === undefined) filters.open = false;
}
// A row is as good as the link in it; words that are being selected are left alone.
for (const row of document.querySelectorAll(".case-row")) {
  row.addEventListener("click", (event) => {
    if (!event.target.closest("a, button") && !String(getSelection())) row.querySelector(".case-link").click();
  });
}
