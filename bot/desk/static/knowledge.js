// Counts what is typed where there is a limit; without this script the server says what is too long.
import { announce } from "./desk/notify.js";

const length = (text) => [...text.trim()].length;

function count(field) {
  const shown = document.querySelector(`[data-count-of="${CSS.escape(field.id)}"]`);
  if (!shown) return;
  const most = Number(field.dataset.most);
  const used = length(field.value);
  const over = used > most;
  if (over && !shown.classList.contains("is-over")) announce(`超过 ${most} 字了`);
  shown.classList.toggle("is-over", over);
  shown.textContent = over ? `! ${used} / ${most} 字，多了 ${used - most} 字` : `${used} / ${most} 字`;
}

for (const field of document.querySelectorAll("textarea[data-most]")) {
  count(field);
  field.addEventListener("input", () => count(field));
}

// What was typed is not lost by a slip: leaving with changes asks first.
const form = document.querySelector(".know-form");
let changed = false;
form?.addEventListener("input", () => { changed = true; });
form?.addEventListener("submit", () => { changed = false; });
addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
