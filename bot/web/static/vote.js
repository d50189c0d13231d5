// The vote: whether an answer helped, asked with two quiet buttons; pressed again it is taken back.
const CHOICES = [
  { vote: "helpful", title: "有帮助" },
  { vote: "unhelpful", title: "没帮上" },
];
const NEXT = "没帮上您，不好意思。换个说法再说一遍，说细一点，我再试试。";
const NEXT_WITH_HUMAN = `${NEXT}想直接跟人说，就找人工。`;
const HUMAN = "找人工";
const NOT_KEPT = "没记上，网络好些再点一次。";

// ``keep(vote)`` tells the server ("open" takes it back) and fails where it could not; ``human(title)`` asks for one.
export function voteRow(known, { keep, human }) {
  const row = document.createElement("div");
  row.className = "vote";
  row.setAttribute("role", "group");
  row.setAttribute("aria-label", "这条回答帮上您了吗");
  const buttons = CHOICES.map(({ vote, title }) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = title;
    button.addEventListener("click", () => take(button.getAttribute("aria-pressed") === "true" ? "open" : vote));
    return button;
  });
  row.append(...buttons);
  let line = null;
  let asked = 0; // presses so far: only the last one's outcome is shown
  let queue = Promise.resolve();

  function show(vote) {
    buttons.forEach((button, at) => button.setAttribute("aria-pressed", String(CHOICES[at].vote === vote)));
  }

  function say(...content) {
    line?.remove();
    line = null;
    if (content.length === 0) return;
    line = document.createElement("p");
    line.className = "vote-next";
    line.append(...content);
    (row.closest(".foot") || row).after(line);
    line.scrollIntoView({ block: "nearest" });
  }

  function next() {
    // Whoever waits for a human, or has one, needs no other way to them.
    if ((document.body.dataset.owner || "bot") !== "bot") return say(NEXT);
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = HUMAN;
    button.addEventListener("click", () => {
      say();
      human(HUMAN);
    });
    return say(NEXT_WITH_HUMAN, button);
  }

  function take(vote) {
    const number = (asked += 1);
    show(vote);
    say();
    queue = queue.then(async () => {
      try {
        await keep(vote);
        known = vote;
        if (number === asked && vote === "unhelpful") next();
      } catch {
        if (number !== asked) return;
        show(known);
        say(NOT_KEPT);
      }
    });
  }

  show(known);
  return row;
}
