// `@` and the beginning of a name offers people; the one who is chosen stands in the text by name. Which member a
// name stands for goes along in a hidden field, `<id> <name>`, so that nobody reads ids.
const BEGUN = /(?:^|[^\p{L}\p{N}_@])@(\p{L}[\p{L}\p{M}'’.-]+(?: [\p{L}\p{M}'’.-]+){0,3})$/u;
const WAIT = 120;

const pairs = (form) => [...form.querySelectorAll("[name=mention]")].map((field) => field.value);
const parted = (pair) => [pair.slice(0, pair.indexOf(" ")), pair.slice(pair.indexOf(" ") + 1)];

export const mentioned = pairs;

export function mention(form, kept) {
  const known = pairs(form);
  for (const pair of kept) if (!known.includes(pair)) add(form, pair);
}

function add(form, pair) {
  const field = document.createElement("input");
  field.type = "hidden";
  field.name = "mention";
  field.value = pair;
  form.append(field);
}

// What a member is called in this form: of two who have one name, the second gets a number.
function labelled(form, id, name) {
  const known = pairs(form).map(parted);
  const mine = known.find(([member]) => member === id);
  if (mine) return mine[1];
  const taken = new Set(known.map(([, label]) => label));
  let label = name;
  for (let number = 2; taken.has(label); number += 1) label = `${name} (${number})`;
  add(form, `${id} ${label}`);
  return label;
}

export function offerPeople(page) {
  let open = null;
  let waiting = 0;
  let asking = null;
  // Where an `@` stands whose offer was sent away.
  let unwanted = -1;

  const close = () => {
    clearTimeout(waiting);
    asking?.abort();
    if (!open) return;
    open.list.remove();
    open.told.textContent = "";
    for (const name of ["aria-controls", "aria-activedescendant", "aria-autocomplete", "aria-haspopup"]) open.field.removeAttribute(name);
    open = null;
  };

  page.addEventListener("input", (event) => {
    const field = event.target;
    if (!field.matches?.("textarea[data-mentions]") || page.activeElement !== field) return;
    const begun = beginning(field);
    if (!begun || begun.at === unwanted) return close();
    unwanted = -1;
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      asking?.abort();
      asking = new AbortController();
      const found = await people(field.dataset.mentions, begun.name, asking.signal);
      if (found === undefined || beginning(field)?.name !== begun.name || page.activeElement !== field) return;
      close();
      if (found) open = shown(page, field, found, begun.at);
    }, WAIT);
  });

  // Before menus and forms hear of the key.
  page.addEventListener("keydown", (event) => {
    if (!open || event.target !== open.field || event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) activate(open, open.active + step);
    else if (event.key === "Enter") choose(open.active);
    else if (event.key === "Escape") {
      unwanted = open.at;
      close();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }, true);

  // A press on an option leaves the focus where one types.
  page.addEventListener("mousedown", (event) => {
    const option = event.target.closest(".mentionable [role=option]");
    if (!option || !open) return;
    event.preventDefault();
    choose(open.options.indexOf(option));
  });
  page.addEventListener("focusout", (event) => event.target === open?.field && close());

  function choose(at) {
    const { field, at: from, options } = open;
    const { member, name } = options[at].dataset;
    const label = labelled(field.form, member, name);
    close();
    const behind = field.value.slice(field.selectionStart).startsWith(" ") ? "" : " ";
    field.setRangeText(`@${label}${behind}`, from, field.selectionStart, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

// The name that is being typed, if one is, and where its sign stands. One that is chosen already is none.
function beginning(field) {
  if (field.selectionStart !== field.selectionEnd) return null;
  const before = field.value.slice(0, field.selectionStart);
  const found = BEGUN.exec(before);
  if (!found) return null;
  const name = found[1];
  if (pairs(field.form).some((pair) => `${name} `.startsWith(`${parted(pair)[1]} `))) return null;
  return { name, at: before.length - name.length - 1 };
}

// None: null. Asked in vain, since something else was typed meanwhile: undefined.
async function people(address, name, signal) {
  try {
    const answer = await fetch(`${address}?q=${encodeURIComponent(name)}`, { headers: { "HX-Request": "true" }, signal });
    if (!answer.ok) return null;
    const found = new DOMParser().parseFromString(await answer.text(), "text/html");
    return found.querySelector(".mentionable");
  } catch (error) {
    return error.name === "AbortError" ? undefined : null;
  }
}

function shown(page, field, found, at) {
  const list = page.adoptNode(found);
  const options = [...list.querySelectorAll("[role=option]")];
  page.querySelector("main").append(list);
  place(list, field);
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-haspopup", "listbox");
  field.setAttribute("aria-controls", list.id);
  let told = page.getElementById("mentions-told");
  if (!told) {
    told = page.createElement("p");
    told.id = "mentions-told";
    told.className = "visually-hidden";
    told.setAttribute("role", "status");
    page.querySelector("main").append(told);
  }
  told.textContent = list.dataset.told;
  const open = { field, list, options, told, at, active: 0 };
  activate(open, 0);
  return open;
}

function activate(open, at) {
  open.active = (at + open.options.length) % open.options.length;
  for (const [place, option] of open.options.entries()) option.setAttribute("aria-selected", String(place === open.active));
  open.field.setAttribute("aria-activedescendant", open.options[open.active].id);
}

// Below the field; above it where the screen, or a keyboard on it, ends before.
function place(list, field) {
  const box = field.getBoundingClientRect();
  const { width, height } = list.getBoundingClientRect();
  const screen = window.visualViewport;
  const ends = screen ? screen.offsetTop + screen.height : window.innerHeight;
  const top = box.bottom + height + 8 > ends && box.top > height + 8 ? box.top - height - 4 : box.bottom + 4;
  const left = Math.max(8, Math.min(box.left, document.documentElement.clientWidth - width - 8));
  const from = list.offsetParent.getBoundingClientRect();
  list.style.top = `${top - from.top}px`;
  list.style.left = `${left - from.left}px`;
}
