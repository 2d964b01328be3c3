// The user's files: dropped, chosen, out of a zip or typed. The list of them.
"use strict";

const files = {
  // Name to {name, bytes, version}; the version changes with the bytes.
  all: new Map(),
  shown: null,
  version: 0,
  changed: () => {},
  // Called with {name, bytes} of a firmware image.
  firmware: () => {},

  put(name, bytes) {
    files.all.set(name, { name, bytes, version: ++files.version });
  },

  remove(name) {
    files.all.delete(name);
    editor.forget(name);
    if (files.shown === name) files.show(files.names()[0] ?? null);
    files.changed();
    (byId("list").querySelector("button") ?? byId("new")).focus();
  },

  names: () => [...files.all.keys()].sort(),

  has_manifest: () => files.all.has("fast.toml"),

  show(name) {
    files.shown = name;
    editor.show(name);
    files.draw();
  },

  draw() {
    const row = (name) => {
      const { errors, warnings } = messages.count(name);
      const marks = [];
      if (errors) marks.push(element("span", { class: "mark error" }, counted(errors, "error")));
      if (warnings) marks.push(element("span", { class: "mark warning" }, counted(warnings, "warning")));
      const open = element("button", { type: "button", class: "file", "aria-current": name === files.shown && "true",
        onclick: () => files.show(name) }, name, " ", ...marks);
      const size = element("span", { class: "size" }, `${grouped(files.all.get(name).bytes.length)} bytes`);
      const remove = element("button", { type: "button", class: "remove", "aria-label": `Remove ${name}`,
        title: `Remove ${name}`, onclick: () => files.remove(name) }, "×");
      return element("li", {}, open, size, remove);
    };
    // What had the focus has it again.
    const label = byId("list").contains(document.activeElement) ? files.shown : null;
    byId("list").replaceChildren(...files.names().map(row));
    if (label) byId("list").querySelector('[aria-current="true"]')?.focus();
  },

  // Takes files, each {name, bytes}, and says what is left out.
  async take(given) {
    notice("");
    const left_out = [];
    const first = await files.sort_out(given, left_out);
    if (left_out.length) notice(left_out.join("; "));
    if (first && (!files.shown || files.shown === first || !files.all.has(files.shown))) files.show(first);
    files.changed();
  },

  // Puts files where they belong; gives the first module, and adds to what is left out.
  async sort_out(given, left_out) {
    const is_project = given.some(({ name, of_group }) => of_group && name === "fast.toml");
    let first = null;
    for (const { name, bytes, of_group } of given) {
      if (/\.zip$/i.test(name)) {
        try {
          first ??= await files.sort_out(files.without_folder(files.unzip(bytes)), left_out);
        } catch (error) {
          left_out.push(`${name}: ${error.message ?? error}`);
        }
      } else if (/\.(lua|lc)$/.test(name) || name === "fast.toml" || is_project) {
        files.put(name, bytes);
        editor.forget(name);
        if (/\.lua$/.test(name)) first ??= name;
      } else if (!of_group && /\.(bin|img|elf)$/i.test(name)) {
        await files.firmware({ name, bytes });
      } else {
        left_out.push(`${name}: it is no Lua, no zip and no firmware image`);
      }
    }
    return first;
  },

  // The files of a zip that are no folders, unless they are too many bytes for a page.
  unzip(bytes) {
    const MOST = 64 << 20;
    let sum = 0;
    const filter = ({ name, originalSize }) => {
      sum += originalSize;
      if (sum > MOST) throw new Error("it unpacks to more than 64 MiB");
      return !name.endsWith("/") && !name.startsWith("__MACOSX/");
    };
    return Object.entries(fflate.unzipSync(bytes, { filter })).map(([name, content]) => ({ name, bytes: content }));
  },

  // Names below the one folder that all are in, if there is one.
  without_folder(given) {
    const folder = given[0]?.name.match(/^[^/]+\//)?.[0];
    const is_common = folder && given.every(({ name }) => name.startsWith(folder));
    return given.map(({ name, bytes }) => ({ name: is_common ? name.slice(folder.length) : name, bytes, of_group: true }));
  },

  async of_list(list) {
    const read = async (file) => ({ name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) });
    return Promise.all([...list].map(read));
  },

  // What was dropped; folders with all that is in them.
  async of_drop(transfer) {
    const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    if (!entries.some((entry) => entry.isDirectory)) return files.of_list(transfer.files);
    const found = [];
    const walk = async (entry, depth) => {
      // A browser does not tell links from folders, and one may lead back to where it is.
      if (depth > 100) throw new Error(`${entry.fullPath}: folders are more than 100 deep, perhaps by a link; drop a folder further down`);
      if (found.length > 10_000) throw new Error("more than 10,000 files: drop the folder that holds your modules");
      if (entry.isFile) {
        const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
        found.push({ name: entry.fullPath.slice(1), bytes: new Uint8Array(await file.arrayBuffer()) });
        return;
      }
      const reader = entry.createReader();
      for (;;) {
        const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
        if (!some.length) return;
        for (const child of some) await walk(child, depth + 1);
      }
    };
    for (const entry of entries) await walk(entry, 0);
    return files.without_folder(found.sort((a, b) => (a.name < b.name ? -1 : 1)));
  },

  create() {
    let name = "module.lua";
    for (let n = 2; files.all.has(name); n++) name = `module${n}.lua`;
    files.put(name, new Uint8Array());
    files.show(name);
    files.changed();
    editor.enter();
  },

  open() {
    const take = async (given) => {
      page.busy(true);
      try {
        await files.take(await given);
      } catch (error) {
        notice(String(error.message ?? error));
        files.changed();
      }
    };
    byId("files").addEventListener("change", async ({ target }) => {
      await take(files.of_list(target.files));
      target.value = "";
    });
    byId("new").addEventListener("click", files.create);
    let depth = 0;
    const over = (is_over) => byId("drop").classList.toggle("over", is_over);
    addEventListener("dragenter", () => over(++depth > 0));
    addEventListener("dragleave", () => over(--depth > 0));
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("drop", (event) => {
      event.preventDefault();
      over((depth = 0) > 0);
      take(files.of_drop(event.dataTransfer));
    });
  },
};
