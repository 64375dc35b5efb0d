// Makes pages quicker and kinder. Every page reads and works without it.
import htmx from "htmx.org";
import "htmx-ext-sse";
import { bringComments } from "./comments.js";
import { dropNameless, keepDrafts } from "./drafts.js";
import { offerPeople } from "./mentions.js";
import { tendMenus } from "./menus.js";
import { keepPlace } from "./place.js";
import { tendPlays } from "./plays.js";
import { refreshWhileVisible } from "./refresh.js";
import { tendSearch } from "./searching.js";
import { countDown, hearNews, tendComposer, walkFeed } from "./talk.js";
import { switchTheme } from "./theme.js";
import { copySecrets, guardSubmits, reachTables, showPlace } from "./forms.js";

// Extensions and other scripts of this house find it here.
window.htmx = htmx;

dropNameless();
switchTheme(document);
tendMenus(document);
tendSearch(document);
copySecrets(document);
guardSubmits(document);
showPlace(document);
refreshWhileVisible(document, htmx);
hearNews(document);
bringComments(document, htmx);
offerPeople(document);
walkFeed(document);

htmx.onLoad((part) => {
  keepDrafts(part);
  reachTables(part);
  tendComposer(part);
  countDown(part);
  tendPlays(part);
});

// When the parts above are in place.
window.addEventListener("load", () => keepPlace(document));
