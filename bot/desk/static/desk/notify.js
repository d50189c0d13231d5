// What is said to staff: toasts, dialogs that ask, and words for screen readers.
/** A passing word; bad ones stay until they are closed. `near` is the control it is about: the error stands there too. */
export function toast(text, { kind = "", near = null, href = null, label = "看看" } = {}) {
  const box = document.createElement("div");
  box.className = `toast ${kind ? `toast-${kind}` : ""}`;
  box.setAttribute("role", kind === "bad" ? "alert" : "status");
  const words = document.createElement("span");
  words.textContent = text;
  box.append(words);
  if (href) {
    const link = document.createElement("a");
    link.href = href;
    link.textContent = label;
    box.append(link);
  }
  const close = document.createElement("button");
  Object.assign(close, { type: "button", className: "icon-button", textContent: "✕" });
  close.setAttribute("aria-label", "关闭");
  close.addEventListener("click", () => box.remove());
  box.append(close);
  document.getElementById("toasts").append(box);
  if (kind !== "bad") setTimeout(() => box.remove(), 6000);
  if (kind === "bad" && near) beside(near, text);
  return box;
}

function beside(control, text) {
  clearError(control);
  const words = document.createElement("span");
  words.className = "error";
  words.id = `error-${Math.random().toString(36).slice(2, 8)}`;
  words.textContent = text;
  control.setAttribute("aria-invalid", "true");
  control.setAttribute("aria-errormessage", words.id);
  control.after(words);
  control.addEventListener("input", () => clearError(control), { once: true });
}

export function clearError(control) {
  document.getElementById(control.getAttribute("aria-errormessage"))?.remove();
  control.removeAttribute("aria-invalid");
  control.removeAttribute("aria-errormessage");
}

export function announce(text) {
  const place = document.getElementById("announce");
  if (place) { place.textContent = ""; setTimeout(() => { place.textContent = text; }, 50); }
}

/** Shows a <template>'s or page's <dialog>; gives it. Esc, [data-close] and a click beside it close it. */
export function open(dialog) {
  const box = dialog instanceof HTMLTemplateElement ? dialog.content.firstElementChild.cloneNode(true) : dialog;
  const passing = !box.isConnected;
  if (passing) document.body.append(box);
  const before = document.activeElement;
  const onClick = (event) => { if (event.target === box || event.target.closest("[data-close]")) box.close(); };
  box.addEventListener("click", onClick);
  box.addEventListener("close", () => {
    box.removeEventListener("click", onClick);
    if (passing) box.remove();
    before?.focus?.({ preventScroll: true });
  }, { once: true });
  if (!box.open) box.showModal();
  return box;
}

/** Asks; gives null for no, else {reason}. `reason`: true demands one, "optional" allows one. */
export function ask({ title, text = "", yes = "确定", reason = false, danger = false, label = "理由" }) {
  return new Promise((answer) => {
    const box = open(document.getElementById("ask-template"));
    box.querySelector("h2").textContent = title;
    const words = box.querySelector(".ask-text");
    words.textContent = text;
    words.hidden = !text;
    const field = box.querySelector(".ask-reason");
    box.querySelector(".dialog-body").hidden = !text && !reason;
    const input = field.querySelector("textarea");
    field.hidden = !reason;
    field.querySelector("label").textContent = label;
    const button = box.querySelector(".ask-yes");
    button.textContent = yes;
    button.classList.toggle("button-danger", danger);
    button.classList.toggle("button-primary", !danger);
    (reason ? input : button).focus();
    let said = null;
    box.querySelector("form").addEventListener("submit", (event) => {
      const given = input.value.trim();
      if (reason === true && !given) {
        event.preventDefault();
        field.querySelector(".error").hidden = false;
        input.setAttribute("aria-invalid", "true");
        input.focus();
        return;
      }
      said = { reason: given };
    });
    box.addEventListener("close", () => answer(said), { once: true });
  });
}
