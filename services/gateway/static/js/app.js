// Makes pages quicker and kinder. Every page reads and works without it.
import htmx from "htmx.org";
import "htmx-ext-sse";
import { keepDrafts } from "./drafts.js";
import { tendMenus } from "./menus.js";
import { refreshWhileVisible } from "./refresh.js";
import { switchTheme } from "./theme.js";
import { copySecrets, guardSubmits, reachTables } from "./forms.js";

// Extensions and other scripts of this house find it here.
window.htmx = htmx;

switchTheme(document);
tendMenus(document);
copySecrets(document);
guardSubmits(document);
refreshWhileVisible(document, htmx);

htmx.onLoad((part) => {
  keepDrafts(part);
  reachTables(part);
});
