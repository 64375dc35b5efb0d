// Small courtesies around forms and wide content.

// A second click on a busy button would send the same thing twice.
export function guardSubmits(page) {
  page.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    event.submitter?.setAttribute("aria-busy", "true");
  });
  // Back from the next page, the form may be sent again.
  window.addEventListener("pageshow", () => {
    for (const form of page.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
    for (const button of page.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
  });
}

export function copySecrets(page) {
  for (const button of page.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard;
  page.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(page.getElementById(button.dataset.copy).textContent.trim());
    page.getElementById(button.dataset.told).textContent = button.dataset.done;
  });
}

// Where links run out of a small screen, the one where one is can be seen.
export function showPlace(page) {
  for (const here of page.querySelectorAll(".tabs [aria-current]")) here.scrollIntoView({ block: "nearest", inline: "center", behavior: "instant" });
}

// A table wider than its place can be scrolled by keyboard too, also once the phone is turned.
const tables = new ResizeObserver((sizes) => {
  for (const { target } of sizes) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});

export function reachTables(part) {
  for (const table of part.querySelectorAll(".prose table")) tables.observe(table);
}
