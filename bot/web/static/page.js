// The page: wires the composer, the transcript and the live feed together. See api.js, transcript.js.
import { Api, ApiError, forget, remembered } from "./api.js";
import { Transcript } from "./transcript.js";

const $ = (id) => document.getElementById(id);
const api = new Api();
const transcript = new Transcript($("log"), { press, open: (attachment) => api.download(attachment), thumb: (a) => api.blobUrl(a), vote: (id, vote) => api.vote(id, vote) });
const chosen = []; // files waiting to be sent
let queue = Promise.resolve(); // messages leave in the order they were written

function notice(text) {
  $("notice").textContent = text || "";
  $("notice").hidden = !text;
}

// Who speaks now: {owner, badge} or {owner, ahead, minutes}. Said again only when it changed: it is read aloud.
function status({ owner, badge, ahead, minutes }) {
  let text = "济南工会小助手";
  if (owner === "human") text = badge ? `人工来了：工号 ${badge}` : "人工来了，正在为您服务";
  if (owner === "queued") {
    text = "已转人工，坐席会在这里回您";
    if (Number.isInteger(ahead)) text = `人工排队：第 ${ahead + 1} 位${minutes ? `，约 ${minutes} 分钟` : ""}`;
  }
  if ($("status").textContent !== text) $("status").textContent = text;
  document.body.dataset.owner = owner;
  if (owner !== "human") transcript.writing(false);
}

function nextId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Send one message; a failure keeps it on the page with a button that sends the very same one again.
function send(body, shown) {
  const message = { client_message_id: nextId(), ...body };
  const turn = transcript.mine(shown);
  const attempt = () => {
    turn.waiting();
    queue = queue.then(async () => {
      transcript.typing(true);
      try {
        const answer = await api.send(message);
        turn.sent(answer.message_id);
        notice("");
        transcript.add(answer.messages);
        status(answer);
      } catch (error) {
        turn.failed(error instanceof ApiError ? error.message : "网络不通，没发出去。", error.permanent ? null : attempt);
        if (error.gone) await restart();
      } finally {
        transcript.typing(false);
      }
    });
  };
  attempt();
  return queue;
}

function press(button, title) {
  send({ payload: button }, { text: title });
  $("text").focus();
}

async function upload(files) {
  for (const file of files) {
    notice(`正在上传 ${file.name} …`);
    try {
      const saved = await api.upload(file);
      chosen.push({ id: saved.id, name: file.name, size: file.size, media_type: saved.media_type });
      notice("");
    } catch (error) {
      notice(`${file.name}：${error.message}`);
    }
  }
  showFiles();
}

function showFiles() {
  $("files").replaceChildren(
    ...chosen.map((file) => {
      const chip = document.createElement("span");
      chip.className = "file";
      chip.append(file.name);
      const remove = document.createElement("button");
      remove.type = "button";
      remove.setAttribute("aria-label", `不发 ${file.name}`);
      remove.textContent = "✕";
      remove.addEventListener("click", () => {
        chosen.splice(chosen.indexOf(file), 1);
        showFiles();
      });
      chip.append(remove);
      return chip;
    }),
  );
}

function grow() {
  const box = $("text");
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight + 2}px`;
}

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (!text && chosen.length === 0) return;
  const files = chosen.splice(0);
  const body = {};
  if (text) body.text = text;
  if (files.length) body.attachment_ids = files.map((file) => file.id);
  send(body, { text, attachments: files });
  $("text").value = "";
  showFiles();
  grow();
});
$("text").addEventListener("input", grow);
$("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    $("composer").requestSubmit();
  }
});
$("attach").addEventListener("click", () => $("file").click());
$("file").addEventListener("change", () => {
  upload([...$("file").files]).then(() => $("text").focus());
  $("file").value = "";
});
document.addEventListener("paste", (event) => {
  if (event.clipboardData?.files.length) upload([...event.clipboardData.files]);
});
$("locate").addEventListener("click", () => {
  if (!navigator.geolocation) return notice("这台设备不能定位，直接说您在哪个区县就行。");
  notice("正在定位 …");
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => {
      notice("");
      send({ location: { latitude: coords.latitude, longitude: coords.longitude } }, { text: "📍 我的位置" });
    },
    () => notice("没拿到位置（可能没有允许）。直接说您在哪个区县就行。"),
    { timeout: 10000, maximumAge: 60000 },
  );
});
$("larger").addEventListener("click", () => large(!document.documentElement.classList.contains("large")));
$("open-privacy").addEventListener("click", () => $("privacy").showModal());
$("leave-device").addEventListener("click", () => {
  forget();
  location.reload();
});
$("privacy").addEventListener("close", async () => {
  localStorage.setItem("niangjia.privacy", "seen");
  if (!api.started) await begin();
  $("text").focus();
});

function large(on) {
  document.documentElement.classList.toggle("large", on);
  $("larger").setAttribute("aria-pressed", String(on));
  localStorage.setItem("niangjia.large", on ? "1" : "");
}

async function begin() {
  try {
    await api.start();
    await transcriptFromServer();
    if (transcript.empty) {
      transcript.typing(true);
      const answer = await api.send({ client_message_id: nextId(), payload: "start" });
      transcript.add(answer.messages);
    }
    notice("");
    api.listen({
      message: (message) => transcript.add([message]),
      owner: status,
      typing: (on) => transcript.writing(on),
      lost: () => {
        transcript.writing(false);
        notice("连接断了，正在重连。也可以先打 12351。");
      },
      back: () => notice(""),
    });
  } catch (error) {
    notice(`${error.message || "暂时连不上。"} 急事请打工会热线 12351。`);
    if (error.gone) await restart();
    else setTimeout(begin, 5000);
  } finally {
    transcript.typing(false);
  }
}

async function transcriptFromServer() {
  for (;;) {
    const page = await api.history(transcript.last);
    transcript.add(page, { history: true });
    if (page.length < 100) return;
  }
}

// The server no longer knows this conversation (deleted, or another installation): start a new one.
async function restart() {
  forget();
  api.reset();
  transcript.clear();
  await begin();
}

large(Boolean(localStorage.getItem("niangjia.large")));
if (localStorage.getItem("niangjia.privacy") === "seen" || remembered()) begin();
else $("privacy").showModal();
