// What the parts of the conversation page share: which conversation it is, and how it stands to me.

export const talk = document.getElementById("talk");
export const id = talk.dataset.id;
export const here = `/desk/c/${id}`;

/** Whether I may reply ("reply") or leave a note ("note") now. */
export function may(what) {
  const state = document.getElementById("composer-state");
  return state?.dataset[what === "note" ? "mayNote" : "mayReply"] === "1";
}
