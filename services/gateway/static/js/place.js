// Back from a post, the feed is where it was left, however much of it had been shown.
const KEY = "feed-place";

export function keepPlace(page) {
  const feed = page.querySelector("#feed");
  if (!feed) return;
  const address = location.pathname + location.search;
  window.addEventListener("pagehide", () => {
    const articles = [...page.querySelectorAll("[data-feed] > article")];
    const top = articles.find((article) => article.getBoundingClientRect().bottom > 80);
    if (!top || scrollY < 200) return forget();
    write({ address, id: top.id, top: top.getBoundingClientRect().top, count: articles.length });
  });
  const back = performance.getEntriesByType("navigation")[0]?.type === "back_forward";
  const left = read();
  if (back && left?.address === address) find(page, left);
}

function find(page, left) {
  const article = page.getElementById(left.id);
  if (article) {
    scrollBy({ top: article.getBoundingClientRect().top - left.top, behavior: "instant" });
    return;
  }
  const more = page.querySelector("#more a");
  if (!more || page.querySelectorAll("[data-feed] > article").length >= left.count) return;
  page.addEventListener("htmx:afterSettle", () => find(page, left), { once: true });
  more.click();
}

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY));
  } catch {
    return null;
  }
}

function write(place) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(place));
  } catch {
    // private windows may refuse: then the feed begins at its top
  }
}

function forget() {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // nothing was kept
  }
}
