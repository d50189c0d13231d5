// Before the first paint: the theme this browser chose, or the system's.
try {
  const chosen = localStorage.getItem("desk.theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch { /* storage is closed: the system's theme it is */ }
