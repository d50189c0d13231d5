// Around the conversation: the lists beside it, its neighbours, and on a phone its tabs.

import { toast } from "./desk.js";
import { refresh } from "./desk/swap.js";
import { here } from "./talk.js";

const lists = [...document.querySelectorAll(".talk-queue [data-fragment]")];
let listing = 0;

/** The lists beside the conversation; however much happens, read at most every four seconds. */
export function readLists() {
  if (listing || document.hidden) return;
  listing = setTimeout(async () => {
    await Promise.all(lists.map((list) => refresh(list).catch(() => {})));
    listing = 0;
    for (const link of document.querySelectorAll(`.talk-queue a[href="${here}"]`)) link.setAttribute("aria-current", "page");
  }, 4000);
}

/** Go to the next conversation of the lists (1), or the one before (-1). */
export function neighbour(step) {
  const links = [...document.querySelectorAll('.talk-queue a[href^="/desk/c/"]')].map((link) => link.getAttribute("href"));
  const others = [...new Set([...links, here])];
  const at = others.indexOf(here);
  const next = links.includes(here) ? others[(at + step + others.length) % others.length] : others[step > 0 ? 0 : others.length - 2];
  if (next && next !== here) location.assign(next);
  else toast("没有别的会话了。");
}

/** On a phone: show the talk, the brief or the panel. */
export function chooseTab(name) {
  document.getElementById("main").dataset.tab = name;
  for (const tab of document.querySelectorAll(".talk-tabs [role=tab]")) {
    const chosen = tab.id === `tab-${name}`;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
  }
}

const tabs = [...document.querySelectorAll(".talk-tabs [role=tab]")];
for (const tab of tabs) {
  tab.addEventListener("click", () => chooseTab(tab.id.slice("tab-".length)));
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
    next.focus();
    chooseTab(next.id.slice("tab-".length));
  });
}

// Whether the brief is open is remembered.
document.addEventListener("toggle", (event) => {
  if (event.target.matches?.("#talk-brief > details")) {
    localStorage.setItem("desk.brief", event.target.open ? "open" : "closed");
  }
}, true);
if (localStorage.getItem("desk.brief") === "closed") document.querySelector("#talk-brief > details")?.removeAttribute("open");
