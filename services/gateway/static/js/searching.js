// The box for searching: `/` goes there from anywhere, arrows walk through what it suggests, Escape closes that.
const TYPING = "input, textarea, select, [contenteditable]";

export function tendSearch(page) {
  page.addEventListener("keydown", (event) => {
    const box = event.target.closest?.(".searchbox");
    if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !event.target.closest?.(TYPING)) {
      const shown = [...page.querySelectorAll("[data-search]")].find((field) => field.checkVisibility());
      if (!shown) return;
      event.preventDefault();
      shown.focus();
      shown.select();
    } else if (box && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      walk(event, box, event.key === "ArrowDown" ? 1 : -1);
    } else if (box && event.key === "Escape") {
      const suggestions = box.querySelector(".suggestions");
      if (!suggestions?.childElementCount) return;
      event.preventDefault();
      suggestions.replaceChildren();
      box.querySelector("[data-search]").focus();
    }
  });
}

function walk(event, box, step) {
  const stops = [box.querySelector("[data-search]"), ...box.querySelectorAll(".suggestions a")];
  const at = stops.indexOf(event.target);
  if (stops.length < 2 || at < 0) return;
  event.preventDefault();
  stops[(at + step + stops.length) % stops.length].focus();
}
