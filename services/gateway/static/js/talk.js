// The feed while somebody reads: what is new waits behind a button, and nothing moves under their eyes.
// Live updates run only while the page is looked at: browsers keep few connections to one site.

import { countComments } from "./comments.js";

export function hearNews(page) {
  const place = page.querySelector("[data-live]");
  if (!place) return;
  let source;
  const listen = () => {
    if (page.hidden || source) return;
    source = new EventSource(place.dataset.live);
    source.addEventListener("new", (event) => countNew(page, JSON.parse(event.data).count));
    source.addEventListener("changed", (event) => tellChanged(page, JSON.parse(event.data).items));
  };
  const rest = () => {
    source?.close();
    source = undefined;
  };
  page.addEventListener("visibilitychange", () => (page.hidden ? rest() : listen()));
  window.addEventListener("pagehide", rest);
  window.addEventListener("pageshow", listen);
  listen();
}

function countNew(page, count) {
  const button = page.querySelector("[data-new-posts]");
  if (!button) return;
  const total = Number(button.dataset.count ?? 0) + count;
  const texts = JSON.parse(page.querySelector("[data-new-texts]").dataset.newTexts);
  const language = page.documentElement.lang;
  const text = texts[new Intl.PluralRules(language).select(total)] ?? texts.other;
  button.dataset.count = total;
  button.querySelector("span").textContent = text.replace("#", total.toLocaleString(language));
  button.hidden = false;
}

function tellChanged(page, items) {
  for (const item of items) {
    if (item.gone) {
      tellGone(page, item.id);
      continue;
    }
    if (item.comments !== undefined) countComments(page, item.id, item.comments);
    const post = page.querySelector(`[data-post="${CSS.escape(item.id)}"]`);
    const more = page.querySelector("[data-new-comments]");
    if (post && more && item.comments > Number(post.dataset.said)) more.hidden = false;
  }
}

// A post that was deleted says so in its place, which stays as large as it was: nothing moves.
function tellGone(page, id) {
  const post = page.getElementById(`post-${id}`);
  const text = page.querySelector("[data-live]").dataset.goneText;
  if (!post) return;
  const told = page.createElement("p");
  told.className = "muted";
  told.textContent = text;
  if (post.dataset.post) {
    // On its own page somebody may be writing a comment: the words stay, to be copied.
    if (!post.dataset.gone) post.querySelector(".new-place").replaceChildren(told);
    post.dataset.gone = "yes";
    return;
  }
  const held = post.contains(page.activeElement);
  post.style.minBlockSize = `${post.getBoundingClientRect().height}px`;
  post.replaceChildren(told);
  post.removeAttribute("aria-labelledby");
  post.removeAttribute("aria-describedby");
  post.setAttribute("aria-label", text);
  if (held) post.focus({ preventScroll: true });
}

// Page Up and Page Down go from post to post (the feed pattern of ARIA).
export function walkFeed(page) {
  page.addEventListener("keydown", (event) => {
    const step = { PageDown: 1, PageUp: -1 }[event.key];
    const article = event.target.closest?.("[data-feed] > article");
    if (!step || !article || event.target.closest("input, textarea, select")) return;
    const articles = [...page.querySelectorAll("[data-feed] > article")];
    const next = articles[articles.indexOf(article) + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
  // Those that came with "Show more" are counted on, and reading goes on at the first of them.
  page.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id !== "feed") return;
    const articles = [...page.querySelectorAll("[data-feed] > article")];
    articles.forEach((article, at) => article.setAttribute("aria-posinset", String(at + 1)));
    if (page.activeElement === page.body) articles.find((article) => !article.dataset.known)?.focus({ preventScroll: true });
    remember(articles);
  });
  remember(page.querySelectorAll("[data-feed] > article"));
}

function remember(articles) {
  for (const article of articles) article.dataset.known = "yes";
}

export function tendComposer(part) {
  for (const form of part.querySelectorAll("[data-composer]")) {
    form.dataset.ready = "yes";
    for (const hidden of form.querySelectorAll("[data-scripted]")) hidden.hidden = false;
    const file = form.querySelector("[type=file]");
    file.addEventListener("change", () => {
      const chosen = file.files[0];
      form.classList.toggle("open", Boolean(chosen));
      form.querySelector("[data-picture-name]").textContent = chosen?.name ?? "";
      if (!chosen) return;
      delete form.querySelector(".composer-picture").dataset.folds;
      form.querySelector("[name=alt]").focus();
    });
  }
}

export function countDown(part) {
  for (const shown of part.querySelectorAll("[data-seconds]")) {
    const ends = Date.now() + Number(shown.dataset.seconds) * 1000;
    const timer = setInterval(() => {
      const left = Math.max(0, Math.ceil((ends - Date.now()) / 1000));
      shown.textContent = left.toLocaleString(document.documentElement.lang);
      if (!left) clearInterval(timer);
    }, 250);
  }
}
