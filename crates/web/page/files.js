// The user's files, which are dropped, chosen, unpacked from a zip or typed, and the list of them.
"use strict";

const files = {
  // Name to {name, bytes, version}; the version changes with the bytes.
  all: new Map(),
  shown: null,
  version: 0,
  changed: () => {},
  // Called with {name, bytes} of a firmware image.
  firmware: () => {},

  // Bytes of the largest Lua file that the page answers in time, of all Lua files, and of any other file.
  MOST: { lua: 2 << 20, together: 8 << 20, other: 64 << 20 },

  is_lua: (name) => /\.(lua|lc)$/.test(name),

  // Why the page does not take a file of this size; null if it does.
  refused(file) {
    if (!file) return null;
    const { name, size = file.bytes.length } = file;
    const is_lua = files.is_lua(name);
    const most = is_lua ? files.MOST.lua : files.MOST.other;
    if (size <= most) return null;
    const kind = is_lua ? "a Lua file" : "a file";
    return `${name}: it has ${grouped(size)} bytes, and ${kind} on this page may have ${grouped(most)}; use the command fastlua for it`;
  },

  // The same for a file that joins the others.
  refused_with_others(file) {
    if (!files.is_lua(file.name)) return files.refused(file);
    const others = [...files.all.values()].filter(({ name }) => files.is_lua(name) && name !== file.name);
    const sum = others.reduce((sum, { bytes }) => sum + bytes.length, file.size ?? file.bytes.length);
    if (sum <= files.MOST.together) return files.refused(file);
    return files.refused(file) ?? `${file.name}: with it the Lua files have ${grouped(sum)} bytes, and together they may have `
      + `${grouped(files.MOST.together)} on this page; use the command fastlua for so many`;
  },

  // Errors about files that became too large by typing.
  refusals() {
    const message = (file) => ({ severity: "error", message: files.refused(file), file: file.name, line: null });
    return [...files.all.values()].filter((file) => files.refused(file)).map(message);
  },

  // The files that the library is asked about.
  modules: () => files.names().map((name) => files.all.get(name)).filter((file) => !files.refused(file)),

  put(name, bytes) {
    files.all.set(name, { name, bytes, version: ++files.version });
  },

  remove(name) {
    files.all.delete(name);
    editor.forget(name);
    if (files.shown === name) files.show(files.names()[0] ?? null);
    else files.draw();
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

  // What was typed into the file that is shown.
  typed(name, bytes) {
    files.put(name, bytes);
    const row = byId("list").querySelector('[aria-current="true"]')?.closest("li");
    row?.querySelector(".size").replaceChildren(files.size(name));
    files.changed();
  },

  size: (name) => `${grouped(files.all.get(name).bytes.length)} bytes`,

  draw() {
    const counts = messages.counts();
    const row = (name) => {
      const { error, warning } = counts.get(name) ?? {};
      const marks = [];
      if (error) marks.push(element("span", { class: "mark error" }, counted(error, "error")));
      if (warning) marks.push(element("span", { class: "mark warning" }, counted(warning, "warning")));
      const open = element("button", { type: "button", class: "file", "aria-current": name === files.shown && "true",
        onclick: () => files.show(name) }, name, " ", ...marks);
      const size = element("span", { class: "size" }, files.size(name));
      const remove = element("button", { type: "button", class: "remove", "aria-label": `Remove ${name}`,
        title: `Remove ${name}`, onclick: () => files.remove(name) }, "×");
      return element("li", {}, open, size, remove);
    };
    // The list keeps the focus.
    const had_focus = byId("list").contains(document.activeElement) && files.shown;
    byId("list").replaceChildren(...files.names().map(row));
    if (had_focus) byId("list").querySelector('[aria-current="true"]')?.focus();
  },

  // Takes files, each {name, bytes} or {name, size} if it is too large to be read, and reports those that it leaves out.
  async take(given) {
    notice("");
    const left_out = [];
    const first = await files.sort_out(given, left_out);
    if (left_out.length) notice(left_out.join("; "));
    if (first && (!files.shown || files.shown === first || !files.all.has(files.shown))) files.show(first);
    else files.draw();
    files.changed();
  },

  // Puts files where they belong. Gives the first module, and adds the reason for each file that is left out.
  async sort_out(given, left_out) {
    const is_project = given.some(({ name, of_group }) => of_group && name === "fast.toml");
    let first = null;
    for (const { name, bytes, size, of_group } of given) {
      const refused = files.refused_with_others({ name, bytes, size });
      if (refused) {
        left_out.push(refused);
      } else if (/\.zip$/i.test(name)) {
        try {
          first ??= await files.sort_out(files.without_folder(files.unzip(bytes)), left_out);
        } catch (error) {
          left_out.push(`${name}: ${error.message ?? error}`);
        }
      } else if (files.is_lua(name) || name === "fast.toml" || is_project) {
        files.put(name, bytes);
        editor.forget(name);
        if (/\.lua$/.test(name)) first ??= name;
      } else if (!of_group && /\.(bin|img|elf)$/i.test(name)) {
        await files.firmware({ name, bytes });
      } else {
        left_out.push(`${name}: it is not Lua, a zip or a firmware image`);
      }
    }
    return first;
  },

  // The files in a zip, without folders.
  unzip(bytes) {
    let sum = 0;
    const filter = ({ name, originalSize }) => {
      sum += originalSize;
      if (sum > files.MOST.other) throw new Error(`its files have more than ${grouped(files.MOST.other)} bytes`);
      return !name.endsWith("/") && !name.startsWith("__MACOSX/");
    };
    return Object.entries(fflate.unzipSync(bytes, { filter })).map(([name, bytes]) => ({ name, bytes }));
  },

  // Names relative to the folder that contains all files, if there is one.
  without_folder(given) {
    const folder = given[0]?.name.match(/^[^/]+\//)?.[0];
    const is_common = folder && given.every(({ name }) => name.startsWith(folder));
    return given.map((file) => ({ ...file, name: is_common ? file.name.slice(folder.length) : file.name, of_group: true }));
  },

  // The contents of a file, unless it is too large.
  async read(file, name) {
    if (files.refused({ name, size: file.size })) return { name, size: file.size };
    return { name, bytes: new Uint8Array(await file.arrayBuffer()) };
  },

  of_list: (list) => Promise.all([...list].map((file) => files.read(file, file.name))),

  // The dropped files, and those in dropped folders.
  async of_drop(transfer) {
    const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    if (!entries.some((entry) => entry.isDirectory)) return files.of_list(transfer.files);
    const found = [];
    const walk = async (entry, depth) => {
      // Browsers show links as folders, and a link may lead back to its own folder.
      if (depth > 100) throw new Error(`${entry.fullPath}: folders are nested more than 100 deep, perhaps by a link; drop an inner folder`);
      if (found.length > 10_000) throw new Error("there are more than 10,000 files; drop only the folder with your modules");
      if (entry.isFile) {
        const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
        found.push(await files.read(file, entry.fullPath.slice(1)));
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
