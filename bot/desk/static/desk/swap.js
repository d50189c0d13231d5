// Pieces of HTML put in their place.
import { fragment } from "./net.js";
import { tick } from "./times.js";

/** Every element with an id in the piece replaces the one on the page that has it; focus stays where it was. */
export function swap(html) {
  const piece = document.createRange().createContextualFragment(html);
  const focused = document.activeElement?.id;
  for (const fresh of [...piece.children].filter((one) => one.id)) {
    document.getElementById(fresh.id)?.replaceWith(fresh);
  }
  if (focused && document.activeElement?.id !== focused) document.getElementById(focused)?.focus({ preventScroll: true });
  tick();
}

/** Fetches the address in data-fragment into the element, when it changed; gives {changed, focused}: whether the focus was in it. */
export async function refresh(element) {
  if (!element?.dataset.fragment) return { changed: false, focused: false };
  const { html, etag } = await fragment(element.dataset.fragment, { etag: element.dataset.etag });
  const focused = element.contains(document.activeElement);
  if (html === null) return { changed: false, focused };
  element.innerHTML = html;
  if (etag) element.dataset.etag = etag; else delete element.dataset.etag;
  tick(element);
  return { changed: true, focused };
}
