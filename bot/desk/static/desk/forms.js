// Forms with data-live are sent by script; without one they are plain forms and the server answers 303.
//   data-then="reload" (default) | "none" | "go:<address>" | "refresh:<selector>" (elements with data-fragment)
//   data-done="已保存"  said when it worked;  data-confirm="title" asks first;  data-reason[="label"] asks for a reason too
// The form fires live:done ({answer}) and live:failed ({error}), both bubble.
import { post } from "./net.js";
import { ask, toast } from "./notify.js";
import { refresh } from "./swap.js";

export async function submit(form, submitter = null) {
  const fields = new FormData(form);
  if (submitter?.name) fields.append(submitter.name, submitter.value);
  const title = submitter?.dataset.confirm ?? form.dataset.confirm;
  const reason = submitter?.dataset.reason ?? form.dataset.reason;
  if (title !== undefined || reason !== undefined) {
    const said = await ask({
      title: title || submitter?.textContent.trim() || "确定吗？", reason: reason !== undefined, label: reason || "理由",
      danger: (submitter ?? form).classList.contains("button-danger") || "danger" in form.dataset,
    });
    if (!said) return null;
    if (reason !== undefined) fields.set("reason", said.reason);
  }
  const button = submitter ?? form.querySelector("button:not([type=button])");
  if (button?.getAttribute("aria-busy") === "true") return null;
  button?.setAttribute("aria-busy", "true");
  try {
    const several = form.enctype === "multipart/form-data";
    const answer = await post(submitter?.getAttribute("formaction") ?? form.getAttribute("action"),
      several ? fields : new URLSearchParams([...fields].filter(([, value]) => typeof value === "string")));
    const event = new CustomEvent("live:done", { bubbles: true, cancelable: true, detail: { answer } });
    if (form.dispatchEvent(event)) after(form, answer);
    return answer;
  } catch (error) {
    const field = error.details?.map((one) => one.field).find(Boolean);
    const control = (field && form.elements.namedItem(field.split(".").at(-1))) || null;
    toast(error.message, { kind: "bad", near: control instanceof Element ? control : null });
    form.dispatchEvent(new CustomEvent("live:failed", { bubbles: true, detail: { error } }));
    return null;
  } finally {
    button?.removeAttribute("aria-busy");
  }
}

function after(form, answer) {
  form.closest("dialog")?.close();
  const then = form.dataset.then ?? "reload";
  if (form.dataset.done) toast(form.dataset.done, { kind: "ok" });
  if (then.startsWith("go:")) location.assign(then.slice(3));
  else if (then.startsWith("refresh:")) refresh(document.querySelector(then.slice(8)));
  else if (then === "reload") { if (answer?.location) location.assign(answer.location); else location.reload(); }
}

document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || !event.target.matches("form[data-live]")) return;
  event.preventDefault();
  submit(event.target, event.submitter);
});
document.addEventListener("change", (event) => {
  if (event.target.matches?.("[data-autosubmit]")) event.target.form.requestSubmit();
});
document.addEventListener("live:failed", (event) => {
  const select = event.target.querySelector?.("select[data-value]");
  if (select) select.value = select.dataset.value;
});
