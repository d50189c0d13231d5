// The page about trainings: fetches how far it is every second, and says when it is over; t starts one.
const box = () => document.getElementById("progress");
const EVERY_MS = 1000;

async function look() {
  const shown = box();
  if (!shown || shown.dataset.underWay !== "yes") return;
  try {
    const answer = await fetch("/workbench/train/progress", { headers: { "X-Requested-With": "fetch" } });
    if (answer.ok) {
      const open = shown.querySelector("details")?.open;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("progress");
      if (fresh.dataset.underWay === "no") return location.assign("/workbench/train");
      const log = fresh.querySelector("details");
      if (log && open !== undefined) log.open = open;
      shown.replaceWith(fresh);
    }
  } catch { /* the next second tries again */ }
  setTimeout(look, EVERY_MS);
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.key !== "t" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const why = document.getElementById("why");
  if (why) { event.preventDefault(); why.focus(); }
});
setTimeout(look, EVERY_MS);
