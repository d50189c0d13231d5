// Waits that run: <time data-since="ISO">, <time data-until="ISO">, as the server words them.
export function words(seconds) {
  const minutes = Math.max(0, Math.floor(seconds / 60));
  if (minutes < 1) return "不到 1 分钟";
  if (minutes < 60) return `${minutes} 分钟`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 ? `${hours} 小时 ${minutes % 60} 分` : `${hours} 小时`;
  const days = Math.floor(hours / 24);
  return hours % 24 ? `${days} 天 ${hours % 24} 小时` : `${days} 天`;
}

export function tick(root) {
  const place = root instanceof Element ? root : document;
  for (const one of place.querySelectorAll("[data-since], [data-until]")) {
    const { since, until, long } = one.dataset;
    const seconds = since ? (Date.now() - Date.parse(since)) / 1000 : (Date.parse(until) - Date.now()) / 1000;
    const said = words(seconds);
    if (one.textContent !== said) one.textContent = said;
    if (long) one.closest(".qrow-wait")?.classList.toggle("is-long", seconds > Number(long));
  }
}
