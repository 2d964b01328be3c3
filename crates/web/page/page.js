// Puts the parts together. After each change it asks the library again.
"use strict";

function notice(text, is_of_update = false) {
  byId("notice").textContent = text;
  byId("notice").toggleAttribute("data-update", is_of_update);
  byId("notice").hidden = !text;
}

const page = {
  // The number of changes so far. Answers that come after a later change are dropped.
  generation: 0,
  timer: null,
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

  // Whether the page shows less than the answer to everything that it was given.
  busy(is_busy) {
    document.body.toggleAttribute("data-busy", is_busy);
    byId("costs").setAttribute("aria-busy", is_busy);
  },

  changed() {
    page.busy(true);
    page.generation++;
    answers.stop_outdated();
    downloads.clear();
    clearTimeout(page.timer);
    // A large file takes long enough that the next key comes before its answer.
    const is_large = files.all.get(files.shown)?.bytes.length > 100_000;
    page.timer = setTimeout(async () => {
      const generation = page.generation;
      try {
        await page.update();
      } catch (error) {
        if (generation === page.generation) notice(error.message, true);
      }
      if (generation === page.generation) page.busy(false);
    }, is_large ? 250 : 30);
  },

  // Asks about all modules: first about the one that is shown, then about the others in their order. Answers are shown as they
  // come.
  async update() {
    const { generation } = page;
    const is_old = () => generation !== page.generation;
    const { shown } = files;
    const asked = answers.modules();
    const is_asked = files.modules().some(({ name }) => name === shown && files.is_lua(name));
    if (!files.has_manifest() && is_asked) page.begin(shown);
    const { modules: names, messages: said } = await asked;
    if (is_old()) return;
    if (byId("notice").hasAttribute("data-update")) notice("");
    const order = names.includes(shown) ? [shown, ...names.filter((name) => name !== shown)] : names;
    let drawn = 0;
    for (const [i, file] of order.entries()) {
      if (!answers.known(file)) {
        byId("progress").textContent = `Module ${i + 1} of ${names.length}: ${file}`;
        // The next one too, so that no worker has to wait for the page.
        if (i + 1 < order.length) page.begin(order[i + 1]);
        await answers.about(file);
        if (is_old()) return;
      }
      if (performance.now() - drawn > 300) {
        page.show(names, said);
        drawn = performance.now();
      }
    }
    const chunks = page.show(names, said);
    byId("progress").textContent = chunks.length ? "" : "Add a module to see what it costs.";
    answers.forget();
  },

  // Begins the work for a file whose answer is awaited later, or not any more.
  begin: (file) => void answers.about(file).catch(() => {}),

  // Shows what is known.
  show(names, said) {
    const known = names.map(answers.known).filter(Boolean);
    const chunks = known.flatMap(({ chunks }) => chunks);
    costs.show(chunks, page.settings().variants ?? page.variants);
    messages.show([...firmware.messages(), ...files.refusals(), ...said, ...known.flatMap(({ messages }) => messages)]);
    return chunks;
  },

  async open() {
    await library.open();
    const about = await library.ask({ do: "about" });
    page.variants = about.variants.map(({ name }) => name);
    byId("version").textContent = `fastlua ${about.version}.`;
    byId("provisioning-names").textContent = about.provisioning.join(", ");
    answers.open(about);
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

page.open().catch((error) => notice(`The page can't start: ${error.message}. Load it again.`));
