// What is typed survives a closed tab and a lost network: kept in this browser until the page has it. Several
// members may share a device: each is offered what they typed themselves.
import { mention, mentioned } from "./mentions.js";

const PREFIX = "draft:";
const MONTH = 30 * 24 * 60 * 60 * 1000;

const named = (key) => `${PREFIX}${document.body.dataset.viewer}:${key}`;

// Private windows may refuse; then nothing is kept and nothing breaks.
const shelf = {
  read(key) {
    try {
      return JSON.parse(localStorage.getItem(named(key)));
    } catch {
      return null;
    }
  },
  write(key, draft) {
    try {
      localStorage.setItem(named(key), JSON.stringify(draft));
      return true;
    } catch {
      return false;
    }
  },
  drop(key) {
    try {
      localStorage.removeItem(named(key));
    } catch {
      // nothing was kept
    }
  },
};

// Drafts were kept without a name once: they may be anybody's.
export function dropNameless() {
  try {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(PREFIX) && key.split(":").length < 3) localStorage.removeItem(key);
    }
  } catch {
    // nothing was kept
  }
}

export function keepDrafts(part) {
  // The page as it is now tells whether a sent draft has arrived.
  for (const shown of part.querySelectorAll("[data-draft-arrived]")) settle(shown);
  for (const told of part.querySelectorAll("[data-draft-done]")) done(told.dataset.draftDone);
  for (const form of part.querySelectorAll("form[data-draft]")) keep(form);
}

function settle(shown) {
  const { draftArrived: key, revision } = shown.dataset;
  const draft = shelf.read(key);
  if (draft?.sent && Number(revision) > Number(draft.revision)) shelf.drop(key);
  // A page that was just begun has got its id; it is known again by its title.
  const begun = shelf.read("new");
  if (begun?.sent && begun.fields.title.trim() === shown.querySelector("h1").textContent.trim()) shelf.drop("new");
}

// What was published is a draft no more.
function done(keys) {
  for (const key of keys.split(" ")) if (shelf.read(key)?.sent) shelf.drop(key);
}

function keep(form) {
  const { draft: key, revision } = form.dataset;
  const fields = [...form.querySelectorAll("[data-draft-field]")];
  const kept = () => ({ revision, at: Date.now(), fields: now(), choices: chosen(form), mentions: mentioned(form) });
  const now = () => Object.fromEntries(fields.map((field) => [field.name, field.value]));
  const untouched = JSON.stringify(now());
  const say = form.querySelector("[data-draft-told]");
  offer(form, key, fields, untouched);

  let waiting = 0;
  const wait = (milliseconds) => {
    clearTimeout(waiting);
    waiting = milliseconds ? setTimeout(write, milliseconds) : 0;
  };
  const write = () => {
    wait(0);
    if (shelf.write(key, kept())) say.dataset.draftTold = "yes";
  };
  const writeNow = () => waiting && write();
  form.addEventListener("input", () => wait(400));
  // Who chooses for whom and leaves at once must not find the text for all; nor lose the last words.
  form.addEventListener("change", writeNow);
  window.addEventListener("pagehide", writeNow);
  form.addEventListener("submit", (event) => {
    if (event.submitter?.dataset.draftKeep !== undefined) return;
    wait(0);
    if (JSON.stringify(now()) !== untouched) shelf.write(key, { ...kept(), sent: true });
  });
}

function offer(form, key, fields, untouched) {
  const draft = shelf.read(key);
  const banner = form.querySelector("[data-draft-offer]");
  if (!draft?.fields || Date.now() - draft.at > MONTH || JSON.stringify(draft.fields) === untouched) return;
  const when = banner.querySelector("time");
  const at = new Date(draft.at);
  when.dateTime = at.toISOString();
  const fold = form.closest("details");
  if (fold) fold.open = true;
  when.textContent = at.toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  banner.hidden = false;
  banner.addEventListener("click", (event) => {
    const choice = event.target.closest("[data-draft-choice]")?.dataset.draftChoice;
    if (!choice) return;
    banner.hidden = true;
    if (choice === "drop") return shelf.drop(key);
    for (const field of fields) {
      field.value = draft.fields[field.name] ?? field.value;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    choose(form, draft.choices ?? {});
    mention(form, draft.mentions ?? []);
  });
}

// Whom a text is for goes with it: what was begun for a few is not taken up again for all.
const CHOICES = "[data-draft-chosen]";

function chosen(form) {
  const found = {};
  for (const field of form.querySelectorAll(CHOICES)) {
    found[field.name] ??= [];
    if (field.localName === "select" || field.checked) found[field.name].push(field.value);
  }
  return found;
}

function choose(form, choices) {
  for (const field of form.querySelectorAll(CHOICES)) {
    const values = choices[field.name];
    if (!values) continue;
    // What is not offered here leaves a select without a choice, and the form is refused.
    if (field.localName === "select") field.value = values[0] ?? "";
    else field.checked = values.includes(field.value);
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }
}
