// The table of costs: for each chunk and form a number and a bar.
"use strict";

const costs = {
  forms: [],
  // By variant, the bytes of the tables that packed chunks need once.
  tables: {},
  // Chunks in the order of their files: {file, name, source_bytes, variants}.
  chunks: [],

  // In the library the unchanged source is called plain, and squashed source is called source.
  label: (form) => ({ plain: "source", source: "squashed" })[form] ?? form,

  open({ forms, variants }) {
    costs.forms = forms;
    costs.tables = Object.fromEntries(variants.map(({ name, tables }) => [name, tables]));
    byId("shown").addEventListener("change", costs.draw);
  },

  // The variants to choose from: those that were asked for. A fast.toml may name fewer.
  show(chunks, asked) {
    costs.chunks = chunks;
    const built = asked.filter((name) => chunks.some(({ variants }) => variants[name]));
    costs.offer(built.length ? built : asked);
    costs.draw();
  },

  offer(variants) {
    const before = byId("shown").value;
    byId("shown").replaceChildren(...variants.map((name) => element("option", { value: name }, name)));
    byId("shown").value = variants.includes(before) ? before : variants[0];
    byId("shown-field").hidden = variants.length < 2;
  },

  bytes: (chunk, form) => chunk.variants[byId("shown").value]?.[form]?.bytes ?? null,

  draw() {
    const variant = byId("shown").value;
    const data = [...new Set(costs.chunks.flatMap((c) => Object.values(c.variants).flatMap(Object.keys)))];
    const forms = [...costs.forms, ...data.filter((form) => !costs.forms.includes(form))];
    byId("costs").hidden = costs.chunks.length === 0;
    byId("costs-hint").hidden = costs.chunks.length === 0;
    byId("costs-caption").textContent = `Bytes of flash by form, for ${variant}`;
    const chosen = byId("form").value || (files.has_manifest() ? null : "bytecode");
    const head = (form) => element("th", { scope: "col", role: "columnheader", class: form === chosen && "chosen" },
      costs.label(form), ...(form === chosen ? [element("span", { class: "only-read" }, " (chosen)")] : []));
    byId("costs-head").replaceChildren(element("th", { scope: "col", role: "columnheader" }, "Module"), ...forms.map(head));
    const rows = costs.chunks.map((chunk) => costs.row(chunk.name, forms, chosen, (form) => costs.bytes(chunk, form)));
    if (costs.chunks.length > 1) {
      // Without the chunks that this variant can't have in any form.
      const whole = costs.chunks.filter((chunk) => chunk.variants[variant]);
      const sum = (form) => {
        const known = whole.map((chunk) => costs.bytes(chunk, form));
        const once = form === "packed" ? costs.tables[variant] : 0;
        return known.includes(null) || !known.length ? null : known.reduce((a, b) => a + b, once);
      };
      const total = costs.row("all together", forms, chosen, sum);
      total.className = "total";
      rows.push(total);
    }
    byId("costs-body").replaceChildren(...rows);
  },

  row(name, forms, chosen, bytes_of) {
    const known = forms.map(bytes_of).filter((n) => n !== null);
    const [least, most] = [Math.min(...known), Math.max(...known)];
    const cell = (form) => {
      const bytes = bytes_of(form);
      const label = element("span", { class: "label", "aria-hidden": "true" }, costs.label(form));
      const made = element("td", { role: "cell", class: form === chosen && "chosen", "data-form": form }, label);
      if (bytes === null) {
        made.append(element("span", { class: "number" }, "–", element("span", { class: "only-read" }, " not possible")));
        return made;
      }
      const bar = element("span", { class: "bar", "aria-hidden": "true" });
      bar.style.setProperty("--part", most ? bytes / most : 0);
      const number = element("span", { class: "number", "data-bytes": bytes }, grouped(bytes));
      if (bytes === least) {
        made.classList.add("least");
        number.append(element("span", { "aria-hidden": "true" }, "*"), element("span", { class: "only-read" }, " smallest"));
      }
      made.append(number, bar);
      return made;
    };
    return element("tr", { role: "row" }, element("th", { scope: "row", role: "rowheader" }, name), ...forms.map(cell));
  },
};
