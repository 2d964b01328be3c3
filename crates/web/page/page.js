// Puts the parts together: whatever changes, the library is asked again.
"use strict";

function notice(text, is_of_update = false) {
  byId("notice").textContent = text;
  byId("notice").toggleAttribute("data-update", is_of_update);
  byId("notice").hidden = !text;
}

const page = {
  // Counts changes, so that answers to what has changed since are dropped.
  generation: 0,
  timer: null,
  // Answers about a file, by all that they depend on.
  known: new Map(),
  variants: [],

  settings() {
    const form = byId("form").value;
    const strip = byId("strip").value;
    return {
      variants: firmware.chosen(),
      as: form || null,
      strip: strip ? Number(strip) : null,
      whole: byId("whole").checked,
      ...(byId("provisioning").checked ? { with: ["provisioning"] } : {}),
      firmware: firmware.image?.name ?? null,
      slot: firmware.slot()?.number ?? null,
    };
  },

  // All files, with the firmware.
  given() {
    const image = firmware.image;
    const own = files.names().filter((name) => name !== image?.name).map((name) => files.all.get(name));
    return [...own, ...(image ? [image] : [])].map(({ name, bytes }) => ({ name, bytes }));
  },

  // Whether what is shown is not yet of all that was given.
  busy(is_busy) {
    document.body.toggleAttribute("data-busy", is_busy);
    byId("costs").setAttribute("aria-busy", is_busy);
  },

  changed() {
    page.busy(true);
    page.generation++;
    downloads.clear();
    files.draw();
    clearTimeout(page.timer);
    page.timer = setTimeout(async () => {
      const generation = page.generation;
      await page.update().catch((error) => notice(error.message, true));
      if (generation === page.generation) page.busy(false);
    }, 250);
  },

  // What is said and what it costs, one file after the other.
  async update() {
    const generation = page.generation;
    const is_old = () => generation !== page.generation;
    const settings = { ...page.settings(), firmware: null, slot: null };
    const modules = files.names().map((name) => files.all.get(name));
    const { modules: names, messages: said } = await library.ask({ do: "modules", settings }, modules);
    if (is_old()) return;
    if (byId("notice").hasAttribute("data-update")) notice("");
    const all = [...firmware.messages(), ...said];
    const chunks = [];
    for (const [i, file] of names.entries()) {
      byId("progress").textContent = `Module ${i + 1} of ${names.length}: ${file}`;
      const answer = await page.about(file, modules, settings);
      if (is_old()) return;
      all.push(...answer.messages);
      chunks.push(...(answer.chunks ?? []).map((chunk) => ({ file, ...chunk })));
      if (i % 8 === 7) costs.show(chunks, settings.variants ?? page.variants);
    }
    byId("progress").textContent = chunks.length ? "" : "Add a module to see what it costs.";
    costs.show(chunks, settings.variants ?? page.variants);
    messages.show(all);
  },

  async about(file, modules, settings) {
    // Without a fast.toml a file's costs depend on no other file.
    const given = files.has_manifest() ? modules : modules.filter(({ name }) => name === file);
    const key = JSON.stringify([file, given.map(({ name, version }) => [name, version]), settings]);
    if (!page.known.has(key)) {
      try {
        page.known.set(key, await library.ask({ do: "costs", file, settings }, given));
      } catch (error) {
        const message = `${file}: ${error.message}; a new one was started`;
        return { messages: [{ severity: "error", message, file, line: null }] };
      }
      if (page.known.size > 500) page.known.delete(page.known.keys().next().value);
    }
    return page.known.get(key);
  },

  async open() {
    await library.open();
    const about = await library.ask({ do: "about" });
    page.variants = about.variants.map(({ name }) => name);
    byId("version").textContent = `fastlua ${about.version}.`;
    byId("provisioning-names").textContent = about.provisioning.join(", ");
    costs.open(about);
    editor.open();
    files.open();
    downloads.open();
    firmware.open(about);
    files.changed = firmware.changed = page.changed;
    files.firmware = firmware.take;
    document.body.dataset.ready = "true";
    page.changed();
  },
};

page.open().catch((error) => notice(`The page can't start: ${error.message}`));
