// Lint as one types: a sentence's field is looked at shortly after the last key, and what is wrong with it is said below.
// That is a field that facts can be marked in, in a form with data-intent; or one with data-checking="<intent>" or
// data-checking-from="<selector of a select>". data-was holds the sentence that is being changed (in a form that
// edits: what the field began with). Without this script the server says so after saving.
import { csrf } from "/desk/static/desk/net.js";

const PAUSE = 450;

/** Arms every field to be checked below an element; again without harm. */
export function armChecking(root = document) {
  for (const field of root.querySelectorAll("form[data-intent] [data-marking], [data-checking], [data-checking-from]")) {
    if (field.dataset.checked) continue;
    field.dataset.checked = "1";
    arm(field);
  }
}

function arm(field) {
  const said = document.createElement("div");
  said.className = "checking";
  said.setAttribute("role", "status");
  (field.closest(".field") ?? field).append(said);
  const from = field.dataset.checkingFrom && document.querySelector(field.dataset.checkingFrom);
  const was = field.dataset.was ?? (field.form?.getAttribute("action")?.endsWith("/edit") ? field.defaultValue.trim() : "");
  let timer = 0, asked = null;
  const look = async () => {
    asked?.abort();
    asked = new AbortController();
    const text = field.value.trim(), intent = from ? from.value : field.dataset.checking ?? field.form?.dataset.intent;
    if (!text || !intent) { said.replaceChildren(); return; }
    try {
      const answer = await fetch("/workbench/lint/check", {
        method: "POST", credentials: "same-origin", signal: asked.signal,
        headers: { Accept: "text/html", "X-CSRF-Token": csrf },
        body: new URLSearchParams({ text, intent, was }),
      });
      if (answer.ok) said.innerHTML = await answer.text(); // rendered and escaped by our own server
    } catch (error) {
      if (error.name !== "AbortError") said.replaceChildren();
    }
  };
  const later = () => { clearTimeout(timer); timer = setTimeout(look, PAUSE); };
  field.addEventListener("input", later);
  from?.addEventListener("change", later);
}

armChecking();
