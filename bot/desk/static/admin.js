// A canned reply's preview goes with what is typed; without this script the button “看看效果” shows it.
import { csrf } from "./desk.js";
import { swap } from "./desk/swap.js";

const form = document.getElementById("canned-form");
const text = document.getElementById("text");
let timer = 0;
let turn = 0;

async function preview() {
  const mine = ++turn;
  try {
    const response = await fetch("/desk/admin/canned/preview", {
      method: "POST", credentials: "same-origin", headers: { "X-CSRF-Token": csrf, Accept: "text/x-fragment" },
      body: new URLSearchParams({ text: text.value }),
    });
    if (response.ok && mine === turn) swap(await response.text());
  } catch { /* the next key tries again */ }
}

if (form && text) {
  document.getElementById("look").hidden = true;
  text.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(preview, 250);
  });
}
