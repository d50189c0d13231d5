// Requests to our own server: the CSRF token goes with each, and errors come back as ApiError.
export const csrf = document.querySelector('meta[name="csrf"]')?.content ?? "";
export const me = Number(document.querySelector('meta[name="me"]')?.content ?? 0) || null;

export class ApiError extends Error {
  constructor(status, code, message, details = []) {
    super(message);
    Object.assign(this, { status, code, details });
  }
}

async function request(url, { accept = "application/json", ...options } = {}) {
  let response;
  try {
    response = await fetch(url, {
      credentials: "same-origin", ...options,
      headers: { Accept: accept, "X-CSRF-Token": csrf, ...options.headers },
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "offline", "没有连上服务器，请看看网络再试。");
  }
  if (response.status === 401) {
    location.assign(`/desk/login?next=${encodeURIComponent(location.pathname + location.search)}`);
    throw new ApiError(401, "not_signed_in", "登录过期了，请重新登录。");
  }
  if (!response.ok && response.status !== 304) {
    const { error } = await response.json().catch(() => ({ error: {} }));
    throw new ApiError(response.status, error?.code ?? "fault", error?.message ?? "没办成，请再试一次。", error?.details);
  }
  return response;
}

export async function get(url, options) {
  return (await request(url, options)).json();
}

/** POST fields (object, FormData or URLSearchParams); arrays repeat the name. Gives the JSON answered, or null. */
export async function post(url, fields = {}, options = {}) {
  let body = fields;
  if (!(fields instanceof FormData) && !(fields instanceof URLSearchParams)) {
    body = new URLSearchParams();
    for (const [name, value] of Object.entries(fields)) {
      for (const one of Array.isArray(value) ? value : [value]) {
        if (one !== undefined && one !== null) body.append(name, one);
      }
    }
  }
  const response = await request(url, { method: "POST", body, ...options });
  if (response.redirected) return { location: response.url };
  return (response.headers.get("content-type") ?? "").includes("json") ? response.json() : null;
}

/** A piece of HTML: {html, etag, headers}; html is null when nothing changed since `etag`. */
export async function fragment(url, { etag, signal } = {}) {
  const response = await request(url, {
    accept: "text/x-fragment, */*;q=0.1", signal, headers: etag ? { "If-None-Match": etag } : {}, cache: "no-store",
  });
  const html = response.status === 304 ? null : await response.text();
  return { html, etag: response.headers.get("etag"), headers: response.headers };
}
