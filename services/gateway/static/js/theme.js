// Light or dark at once, and remembered in the cookie that the server reads.
const YEAR = 365 * 24 * 60 * 60;

export function switchTheme(page) {
  page.addEventListener("submit", (event) => {
    const chosen = event.submitter?.dataset.setTheme;
    if (chosen === undefined) return;
    event.preventDefault();
    const root = page.documentElement;
    const secure = location.protocol === "https:" ? "; secure" : "";
    if (chosen === "light" || chosen === "dark") {
      root.dataset.theme = chosen;
      document.cookie = `theme=${chosen}; path=/; max-age=${YEAR}; samesite=lax${secure}`;
    } else {
      delete root.dataset.theme;
      document.cookie = `theme=; path=/; max-age=0; samesite=lax${secure}`;
    }
    for (const button of page.querySelectorAll("[data-set-theme]")) {
      button.setAttribute("aria-pressed", String(button.dataset.setTheme === chosen));
    }
  });
}
