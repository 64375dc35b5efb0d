// Builds the interface's assets: one style sheet, one script, the icon sprite and the pictures, each named by its content.
// Usage: node build.mjs OUTPUT CHECKSUM. Writes the files first and manifest.json last, in one rename; the checksum of the
// sources is kept in it, so that `services.gateway.assets` sees whether there is anything to do.
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));
const gateway = path.dirname(here);
const sources = path.join(gateway, "static");
const output = path.resolve(process.argv[2]);
const checksum = process.argv[3];
const modules = path.join(here, "node_modules");
const lucide = path.join(modules, "lucide-static/icons");

// Browsers that know light-dark() and nesting: two years of phones and more.
const TARGET = ["chrome123", "edge123", "firefox121", "safari17.5"];

const fingerprinted = (name, content) => {
  const { name: stem, ext } = path.parse(name);
  return `${stem}-${createHash("sha256").update(content).digest("hex").slice(0, 10)}${ext}`;
};

async function bundle() {
  const result = await build({
    entryPoints: [path.join(sources, "css/app.css"), path.join(sources, "js/app.js")],
    nodePaths: [modules],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: TARGET,
    legalComments: "inline",
    outdir: output,
    logLevel: "warning",
  });
  return result.outputFiles.map((file) => [path.basename(file.path), Buffer.from(file.contents)]);
}

async function filesUnder(folder, ending) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((e) => e.isFile() && e.name.endsWith(ending)).map((e) => path.join(e.parentPath ?? e.path, e.name)).sort();
}

async function iconNames() {
  const names = new Set();
  for (const file of await filesUnder(path.join(gateway, "templates"), ".html")) {
    for (const [, name] of (await readFile(file, "utf8")).matchAll(/\bicon\(\s*["']([a-z0-9-]+)["']/g)) names.add(name);
  }
  return [...names].sort();
}

async function symbol(name) {
  const own = name === "mark";
  const file = own ? path.join(sources, "img/mark.svg") : path.join(lucide, `${name}.svg`);
  const svg = await readFile(file, "utf8").catch(() => {
    throw new Error(`A template uses the icon "${name}", which neither lucide-static nor static/img has.`);
  });
  const [, box] = svg.match(/viewBox="([^"]+)"/);
  const drawing = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>"));
  return `<symbol id="i-${name}" viewBox="${box}">${drawing.replace(/>\s+</g, "><").replace(/\s*\/>/g, "/>").trim()}</symbol>`;
}

async function sprite() {
  const symbols = await Promise.all((await iconNames()).map(symbol));
  const licence = "<!-- Icons: Lucide (ISC, see licences.txt). The mark: Fikarum. -->";
  return `<svg xmlns="http://www.w3.org/2000/svg">${licence}${symbols.join("")}</svg>\n`;
}

async function pictures() {
  const files = (await filesUnder(path.join(sources, "img"), ".svg")).filter((file) => path.basename(file) !== "mark.svg");
  return Promise.all(files.map(async (file) => [path.basename(file), await readFile(file)]));
}

async function licences() {
  const texts = ["htmx.org", "htmx-ext-sse", "lucide-static"].map(async (name) => {
    return `== ${name} ==\n\n${await readFile(path.join(modules, name, "LICENSE"), "utf8")}`;
  });
  return (await Promise.all(texts)).join("\n");
}

async function earlier() {
  return JSON.parse(await readFile(path.join(output, "manifest.json"), "utf8").catch(() => '{"files":{}}')).files;
}

// The files of the build before stay: a gateway that still runs on the old manifest goes on serving them.
async function forget(kept) {
  for (const name of await readdir(output)) if (!kept.has(name) && !name.startsWith(".")) await rm(path.join(output, name));
}

await mkdir(output, { recursive: true });
const before = await earlier();
const files = {};
const made = [...(await bundle()), ["icons.svg", await sprite()], ["licences.txt", await licences()], ...(await pictures())];
for (const [name, content] of made) {
  files[name] = fingerprinted(name, content);
  await writeFile(path.join(output, files[name]), content);
}
const manifest = JSON.stringify({ sources: checksum, files }, null, 1);
await writeFile(path.join(output, ".manifest.next"), `${manifest}\n`);
await rename(path.join(output, ".manifest.next"), path.join(output, "manifest.json"));
await forget(new Set(["manifest.json", ...Object.values(files), ...Object.values(before)]));
