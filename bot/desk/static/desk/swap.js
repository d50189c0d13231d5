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

/** Fetches the address in data-fragment into the element, when it changed; gives whether it did. */
export async function refresh(element) {
  if (!element?.dataset.fragment) return false;
  const { html, etag } = await fragment(element.dataset.fragment, { etag: element.dataset.etag });
  if (html === null) return false;
  element.innerHTML = html;
  if (etag) element.dataset.etag = etag; else delete element.dataset.etag;
  tick(element);
  return true;
}
