// Runs before the first paint, so that a dark page never flashes white. Its own file, for the policy allows no inline
// script of ours.
(() => {
  let chosen = "system";
  try {
    chosen = localStorage.getItem("commonplace.theme") || "system";
  } catch {
    // Storage may be forbidden; then the system decides.
  }
  const isDark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.classList.toggle("dark", isDark);
})();
