// The public API, as any union app would use it.
const KEY = "niangjia.conversation";

export function remembered() {
  try {
    return JSON.parse(localStorage.getItem(KEY));
  } catch {
    return null;
  }
}

export function forget() {
  localStorage.removeItem(KEY);
}

export class ApiError extends Error {
  constructor(message, status) {
    super(message);
    this.permanent = [400, 413, 415, 422].includes(status); // sending the same again cannot help
    this.gone = status === 401 || status === 404;
  }
}

export class Api {
  constructor() {
    this.reset();
  }

  reset() {
    this.stop?.abort();
    const known = remembered();
    this.id = known?.conversation_id;
    this.token = known?.token;
    this.seen = 0;
  }

  get started() {
    return Boolean(this.id);
  }

  async start() {
    if (this.id) return;
    const made = await this.call("POST", "/api/v1/conversations", { json: { channel: "web", consent: true }, open: true });
    this.id = made.conversation_id;
    this.token = made.token;
    localStorage.setItem(KEY, JSON.stringify(made));
  }

  send(message) {
    return this.call("POST", this.path("/messages"), { json: message });
  }

  // Whether an answer helped: "helpful", "unhelpful", or "open" to take it back.
  vote(id, vote) {
    const path = this.path(`/messages/${id}/vote`);
    return vote === "open" ? this.call("DELETE", path) : this.call("PUT", path, { json: { helpful: vote === "helpful" } });
  }

  async history(after) {
    return (await this.call("GET", this.path(`/messages?after=${after}&limit=100`))).messages;
  }

  async upload(file) {
    const form = new FormData();
    form.append("file", file);
    return this.call("POST", this.path("/attachments"), { form });
  }

  async blobUrl(attachment) {
    const response = await fetch(this.path(`/attachments/${attachment.id}`), { headers: this.headers() });
    if (!response.ok) throw new ApiError("文件打不开。", response.status);
    return URL.createObjectURL(await response.blob());
  }

  async download(attachment) {
    const link = document.createElement("a");
    link.href = await this.blobUrl(attachment);
    link.download = attachment.filename || attachment.name;
    link.click();
  }

  // Server-sent events read with fetch, because EventSource cannot carry the token.
  async listen({ message, owner, typing, lost, back }) {
    this.stop?.abort();
    const stop = (this.stop = new AbortController());
    let wait = 1000;
    let lastId = this.seen;
    while (!stop.signal.aborted) {
      try {
        const response = await fetch(this.path(`/events?after=${lastId}`), {
          headers: { ...this.headers(), Accept: "text/event-stream", ...(lastId ? { "Last-Event-ID": String(lastId) } : {}) },
          signal: stop.signal,
        });
        if (response.status === 401 || response.status === 404) return;
        if (!response.ok) throw new Error(String(response.status));
        back();
        wait = 1000;
        for await (const event of events(response.body)) {
          if (event.id) lastId = Number(event.id) || lastId;
          if (event.type === "message" && event.data) message(JSON.parse(event.data));
          if (event.type === "owner" && event.data) owner(JSON.parse(event.data));
          if (event.type === "typing" && event.data) typing(JSON.parse(event.data).typing);
        }
      } catch {
        if (stop.signal.aborted) return;
        lost();
      }
      await new Promise((resolve) => setTimeout(resolve, wait));
      wait = Math.min(wait * 2, 20000);
    }
  }

  path(rest) {
    return `/api/v1/conversations/${this.id}${rest}`;
  }

  headers() {
    return { Authorization: `Bearer ${this.token}` };
  }

  async call(method, path, { json, form, open } = {}) {
    let response;
    try {
      response = await fetch(path, {
        method,
        headers: { ...(open ? {} : this.headers()), ...(json ? { "Content-Type": "application/json" } : {}) },
        body: json ? JSON.stringify(json) : form,
      });
    } catch {
      throw new ApiError("网络不通，没发出去。", 0);
    }
    let body = null;
    try {
      body = await response.json();
    } catch {
      body = null;
    }
    if (!response.ok) throw new ApiError(body?.error?.message || "暂时没办成，请稍后再试。", response.status);
    return body;
  }
}

async function* events(stream) {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks(stream)) {
    rest += decoder.decode(chunk, { stream: true });
    const blocks = rest.split(/\r?\n\r?\n/);
    rest = blocks.pop();
    for (const block of blocks) {
      const event = { type: "message", data: "", id: "" };
      for (const line of block.split(/\r?\n/)) {
        if (line.startsWith("event:")) event.type = line.slice(6).trim();
        else if (line.startsWith("id:")) event.id = line.slice(3).trim();
        else if (line.startsWith("data:")) event.data += line.slice(5).trim();
      }
      yield event;
    }
  }
}

async function* chunks(stream) {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
