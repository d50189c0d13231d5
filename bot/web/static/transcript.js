// The transcript: what was said, in order, each message once. Text only ever enters as text, never as HTML.
import { voteRow } from "./vote.js";

const OURS = new RegExp(`((?:${location.origin.replaceAll(".", "\\.")})?/(?:case|claims)/[\\w-]{43})`);
const RATING = /^([1-5]) ?分$/;
const RATINGS = ["", "很不满意", "不满意", "一般", "满意", "很满意"];
const NAMES = { bot: "娘家人", staff: "人工坐席", system: "通知", member: "我" };

export class Transcript {
  constructor(log, { press, open, thumb, vote }) {
    this.log = log;
    this.press = press;
    this.open = open;
    this.thumb = thumb;
    this.vote = vote;
    this.clear();
  }

  clear() {
    this.known = new Set();
    this.last = 0;
    this.log.replaceChildren();
    this.dots = null;
  }

  get empty() {
    return this.known.size === 0;
  }

  // Messages from the server. The member's own live ones are on the page already.
  add(messages, { history = false } = {}) {
    let first = null;
    for (const message of messages) {
      if (this.known.has(message.id)) continue;
      this.known.add(message.id);
      this.last = Math.max(this.last, message.id);
      if (message.author === "member" && !history) continue;
      if (message.author !== "member") this.settle();
      if (message.author === "staff") this.writing(false);
      const turn = this.turn(message);
      this.place(turn);
      if (!history) first ??= turn;
    }
    this.scroll();
    // An answer longer than the screen is read from its beginning.
    if (first && this.log.scrollHeight - first.offsetTop > this.log.clientHeight) this.log.scrollTop = first.offsetTop - 8;
  }

  turn(message) {
    const turn = element("div", `turn ${message.author}`);
    if (message.author !== "member") turn.append(element("span", "name", NAMES[message.author] || ""));
    const bubble = element("div", "bubble");
    bubble.append(...(message.author === "member" ? [message.text || ""] : linked(message.text || "")));
    for (const attachment of message.attachments || []) bubble.append(this.attachment(attachment));
    turn.append(bubble);
    if (message.sources?.length || message.vote) turn.append(this.foot(message));
    if (message.buttons?.length) turn.append(this.choices(message.buttons));
    return turn;
  }

  // What stands below an answer: what it is based on, and whether it helped.
  foot(message) {
    const foot = element("div", "foot");
    if (message.sources?.length) foot.append(sources(message.sources));
    if (message.vote) {
      const keep = (vote) => this.vote(message.id, vote);
      foot.append(voteRow(message.vote, { keep, human: (title) => this.press("human", title) }));
    }
    return foot;
  }

  choices(buttons) {
    const box = element("div", "choices");
    const ratings = buttons.filter(({ title }) => RATING.test(title));
    if (ratings.length > 1) box.append(this.stars(ratings));
    for (const { title, payload } of ratings.length > 1 ? buttons.filter((one) => !ratings.includes(one)) : buttons) {
      const button = element("button", "", title);
      button.type = "button";
      button.addEventListener("click", () => {
        button.classList.add("chosen");
        this.settle();
        this.press(payload, title);
      });
      box.append(button);
    }
    return box;
  }

  // A rating: the same buttons, from the worst to the best, each a star with its words.
  stars(ratings) {
    const box = element("div", "stars");
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", "打分，1 到 5 颗星");
    const made = ratings
      .map(({ title, payload }) => ({ title, payload, rating: Number(RATING.exec(title)[1]) }))
      .sort((one, other) => one.rating - other.rating)
      .map(({ title, payload, rating }) => {
        const button = element("button");
        button.type = "button";
        const star = element("span", "star", "★");
        star.setAttribute("aria-hidden", "true");
        button.append(star, element("span", "score", `${rating} 分`), element("span", "word", RATINGS[rating]));
        button.addEventListener("click", () => {
          for (const one of made.slice(0, made.indexOf(button) + 1)) one.classList.add("lit");
          button.classList.add("chosen");
          button.setAttribute("aria-pressed", "true");
          this.settle();
          this.press(payload, title);
        });
        return button;
      });
    box.append(...made);
    return box;
  }

  // Only the buttons under the latest message can be pressed.
  settle() {
    for (const button of this.log.querySelectorAll(".choices button:not(:disabled)")) button.disabled = true;
  }

  attachment(attachment) {
    const box = element("span", "attached");
    const button = element("button", "", `📎 ${attachment.filename || attachment.name}`);
    button.type = "button";
    button.addEventListener("click", () => this.open(attachment).catch(() => {}));
    box.append(button);
    if (attachment.media_type?.startsWith("image/") && attachment.media_type !== "image/heic") {
      this.thumb(attachment)
        .then((url) => {
          const picture = element("img");
          picture.alt = attachment.filename || attachment.name;
          picture.src = url;
          box.append(picture);
        })
        .catch(() => {});
    }
    return box;
  }

  // The member's own message, shown at once.
  mine({ text, attachments = [] }) {
    const turn = this.turn({ author: "member", text, attachments });
    const fate = element("span", "fate");
    turn.append(fate);
    this.settle();
    this.place(turn);
    this.scroll();
    return {
      waiting: () => {
        turn.classList.add("waiting");
        fate.textContent = "";
      },
      sent: (id) => {
        turn.classList.remove("waiting");
        if (id) {
          this.known.add(id);
          this.last = Math.max(this.last, id);
        }
      },
      failed: (why, again) => {
        turn.classList.remove("waiting");
        fate.textContent = why;
        if (!again) return;
        const button = element("button", "", "重新发送");
        button.type = "button";
        button.addEventListener("click", again);
        fate.append(button);
      },
    };
  }

  typing(on) {
    this.dots?.remove();
    this.dots = null;
    if (!on) return;
    this.dots = element("div", "turn bot");
    const bubble = element("div", "bubble typing");
    bubble.setAttribute("aria-label", "正在回复");
    bubble.append(element("i"), element("i"), element("i"));
    this.dots.append(bubble);
    this.log.append(this.dots);
    this.scroll();
  }

  // The worker is writing; beside the log, because what comes and goes must not be read aloud each time.
  writing(on) {
    const line = document.getElementById("writing");
    if (line) line.hidden = !on;
  }

  place(turn) {
    if (this.dots) this.log.insertBefore(turn, this.dots);
    else this.log.append(turn);
  }

  scroll() {
    this.log.scrollTop = this.log.scrollHeight;
  }
}

function sources(list) {
  const box = element("details", "sources");
  box.append(element("summary", "", `依据 ${list.length} 条`));
  const items = element("ul");
  for (const { title, article, as_of } of list) {
    items.append(element("li", "", `《${title}》${article || ""}${as_of ? `（核对日期 ${as_of}）` : ""}`));
  }
  box.append(items);
  return box;
}

// The text with the addresses of our own pages (a case, a claim sheet) to be pressed; no other address is.
function linked(text) {
  return text.split(OURS).map((part, at) => {
    if (at % 2 === 0) return part;
    const { pathname } = new URL(part, location.href);
    const link = element("a", "", pathname.startsWith("/claims/") ? "打开我的权益清单" : "打开工单进度");
    link.href = pathname;
    link.target = "_blank";
    link.rel = "noreferrer";
    return link;
  });
}

function element(tag, className = "", text = null) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== null) made.textContent = text;
  return made;
}
