// Asks again for figures that move, every few seconds, but never for a page that nobody looks at.
export function refreshWhileVisible(page, htmx) {
  for (const part of page.querySelectorAll("[data-refresh-seconds]")) {
    setInterval(() => {
      if (!page.hidden && !part.contains(page.activeElement)) htmx.trigger(part, "refresh");
    }, Number(part.dataset.refreshSeconds) * 1000);
  }
}
