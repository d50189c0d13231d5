// Marking facts: select words in a field with data-marking, choose what they are, and they become [words](fact).
// Beside the field stands its menu (templates/workbench/marking.html); without this script one types the marks.
const MARK = /\[([^[\]]+)\]\(([a-z_]+)\)/g;

/** Arms every field with data-marking below an element; again without harm. */
export function armMarking(root = document) {
  for (const field of root.querySelectorAll("[data-marking]")) {
    if (field.dataset.armed) continue;
    const menu = document.getElementById(field.dataset.marking);
    if (!menu) continue;
    field.dataset.armed = "1";
    arm(field, menu);
  }
}

/**
 * What choosing a fact for a selection makes of a text: {start, end, made}, or null where it cannot be. Marks that the
 * selection touches are taken in whole and replaced; fact "" only takes them out.
 */
export function marked(text, start, end, fact) {
  while (start < end && /\s/.test(text[start])) start += 1;
  while (end > start && /\s/.test(text[end - 1])) end -= 1;
  if (start === end) return null;
  for (const found of text.matchAll(MARK)) {
    const from = found.index, to = from + found[0].length;
    if (from < end && to > start) [start, end] = [Math.min(start, from), Math.max(end, to)];
  }
  const plain = text.slice(start, end).replace(MARK, "$1");
  if (/[[\](){}\n]/.test(plain)) return null;
  return { start, end, made: fact ? `[${plain}](${fact})` : plain };
}

function arm(field, menu) {
  const show = () => {
    const chosen = field.selectionEnd > field.selectionStart;
    const here = document.activeElement === field || menu.contains(document.activeElement);
    menu.hidden = !(chosen && here);
    if (menu.hidden) return;
    const unmark = menu.querySelector('[data-fact=""]');
    if (unmark) unmark.hidden = !touchesMark(field);
  };
  for (const kind of ["select", "keyup", "mouseup", "focus"]) field.addEventListener(kind, show);
  document.addEventListener("selectionchange", () => { if (document.activeElement === field) show(); });
  field.addEventListener("blur", () => setTimeout(show));
  menu.addEventListener("focusout", () => setTimeout(show));
  menu.addEventListener("mousedown", (event) => event.preventDefault());
  menu.addEventListener("click", (event) => {
    const button = event.target.closest("[data-fact]");
    if (button) put(field, button.dataset.fact, menu);
  });
  menu.addEventListener("keydown", (event) => {
    const buttons = [...menu.querySelectorAll("[data-fact]:not([hidden])")];
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      buttons.at((buttons.indexOf(document.activeElement) + step) % buttons.length).focus();
    } else if (event.key === "Escape") {
      event.preventDefault(); event.stopPropagation();
      field.focus(); field.setSelectionRange(field.selectionEnd, field.selectionEnd); menu.hidden = true;
    }
  });
  if (field.dataset.enter === "submit") {
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing || event.shiftKey) return;
      event.preventDefault();
      field.form?.requestSubmit();
    });
  }
}

function touchesMark(field) {
  return [...field.value.matchAll(MARK)].some(
    (found) => found.index < field.selectionEnd && found.index + found[0].length > field.selectionStart,
  );
}

function put(field, fact, menu) {
  const made = marked(field.value, field.selectionStart, field.selectionEnd, fact);
  field.focus();
  if (!made) return;
  field.setSelectionRange(made.start, made.end);
  // So that the browser's own undo can take it back.
  if (!document.execCommand("insertText", false, made.made)) {
    field.setRangeText(made.made, made.start, made.end, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  menu.hidden = true;
}

armMarking();
