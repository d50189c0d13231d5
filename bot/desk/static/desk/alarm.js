// What must be noticed while another tab is open: a sound, the title's number, a dot on the icon.
const KEY = "desk.sound";
let gesture = false;
let context = null;
let title = document.title;
for (const event of ["pointerdown", "keydown"]) document.addEventListener(event, () => { gesture = true; }, { once: true });

function on() {
  try { return localStorage.getItem(KEY) !== "off"; } catch { return true; }
}

function icon(count) {
  const link = document.getElementById("favicon");
  if (!link) return;
  const dot = count ? '<circle cx="24" cy="8" r="8" fill="#ffb000"/>' : "";
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#b3261e"/><path d="M16 7 6 15v10h7v-6h6v6h7V15z" fill="#fff"/>${dot}</svg>`;
  link.href = `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

export const alarm = {
  toggle() {
    const now = !on();
    try { localStorage.setItem(KEY, now ? "on" : "off"); } catch { /* as long as the page */ }
    if (now) alarm.beep();
    return now;
  },
  /** Two short tones; higher and three for what is urgent. Browsers allow sound only after a gesture. */
  beep(urgent = false) {
    if (!gesture || !on()) return;
    context ??= new AudioContext();
    const tones = urgent ? [880, 1175, 880] : [660, 880];
    tones.forEach((hertz, at) => {
      const start = context.currentTime + at * 0.16;
      const tone = context.createOscillator();
      const volume = context.createGain();
      tone.frequency.value = hertz;
      volume.gain.setValueAtTime(0.0001, start);
      volume.gain.exponentialRampToValueAtTime(0.12, start + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.0001, start + 0.14);
      tone.connect(volume).connect(context.destination);
      tone.start(start);
      tone.stop(start + 0.15);
    });
  },
  /** The number of what waits, in the tab. */
  badge(count) {
    document.title = count ? `(${count}) ${title}` : title;
    icon(count);
  },
};
