// What others said meanwhile joins the thread where one reads it: nothing that is being typed, open or in focus is
// touched.
export function bringComments(page, htmx) {
  // A press takes the focus from nobody's words.
  page.addEventListener("mousedown", (event) => {
    if (event.target.closest("[data-new-comments]")) event.preventDefault();
  });
  page.addEventListener("click", async (event) => {
    const more = event.target.closest("[data-new-comments]");
    if (!more || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    more.setAttribute("aria-busy", "true");
    const found = await asked(more.href);
    more.removeAttribute("aria-busy");
    // Whoever is signed out meanwhile, or has lost the network, is told so by the page itself; drafts are kept.
    if (!found) return location.assign(more.href);
    show(page, found, htmx);
  });
}

async function asked(address) {
  try {
    const answer = await fetch(address);
    if (!answer.ok || answer.redirected) return null;
    const found = new DOMParser().parseFromString(await answer.text(), "text/html");
    return found.getElementById("said") && found;
  } catch {
    return null;
  }
}

function show(page, found, htmx) {
  const [post, theirs] = [page, found].map((each) => each.querySelector("[data-said]"));
  const more = post.querySelector("[data-new-comments]");
  const followed = page.activeElement === more;
  const fresh = [];
  join(page, page.getElementById("said"), found.getElementById("said"), fresh);
  for (const id of ["comments-h", "more-comments"]) {
    const shown = page.getElementById(id);
    shown.replaceChildren(...found.getElementById(id).childNodes);
    shown.hidden = !shown.childNodes.length;
  }
  post.dataset.said = theirs.dataset.said;
  countComments(page, post.dataset.post, Number(post.dataset.said));
  more.hidden = true;
  for (const item of fresh) {
    htmx.process(item);
    htmx.trigger(item, "htmx:load", { elt: item });
  }
  const first = fresh[0] ?? page.querySelector("#more-comments a");
  first?.scrollIntoView({ block: "nearest" });
  if (!followed || !first) return;
  if (first.localName === "li") first.tabIndex = -1;
  first.focus({ preventScroll: true });
}

export function countComments(page, post, count) {
  const shown = page.querySelector(`[data-comments="${CSS.escape(post)}"]`);
  if (!shown) return;
  shown.textContent = count.toLocaleString(page.documentElement.lang);
  shown.hidden = !count;
}

// Both are in the same order.
function join(page, list, other, fresh) {
  list.hidden = !other.children.length;
  let last = null;
  for (const item of [...other.children]) {
    const known = page.getElementById(item.id);
    if (known) {
      renew(page, known, item, fresh);
      last = known;
      continue;
    }
    const brought = page.adoptNode(item);
    if (last) last.after(brought);
    else list.prepend(brought);
    fresh.push(brought);
    last = brought;
  }
}

function renew(page, known, item, fresh) {
  const [mine, theirs] = [known, item].map((each) => each.querySelector(":scope > ol"));
  if (mine && theirs) join(page, mine, theirs, fresh);
  else if (theirs) {
    known.append(page.adoptNode(theirs));
    fresh.push(...theirs.children);
  }
}
