// Pictures that move do so when somebody says so, and until they say stop. Without this the link opens what moves.

export function tendPlays(part) {
  for (const link of part.querySelectorAll("a[data-play]")) link.replaceWith(buttonOf(link));
}

function buttonOf(link) {
  const { stop, away } = link.dataset;
  const picture = link.parentElement.querySelector("img");
  const still = picture.getAttribute("src");
  const button = document.createElement("button");
  button.type = "button";
  button.className = link.className;
  button.append(...link.childNodes);
  const word = button.querySelector("span");
  const play = word.textContent;

  const rest = (said) => {
    picture.src = still;
    delete button.dataset.plays;
    button.ariaBusy = null;
    word.textContent = said;
  };
  picture.addEventListener("load", () => (button.ariaBusy = null));
  picture.addEventListener("error", () => button.dataset.plays && rest(away));
  button.addEventListener("click", () => {
    if (button.dataset.plays) return rest(play);
    // The still stays until all of the other is there.
    button.dataset.plays = "yes";
    button.ariaBusy = "true";
    word.textContent = stop;
    picture.src = link.href;
  });
  return button;
}
