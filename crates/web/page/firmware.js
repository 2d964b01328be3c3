// The firmware that the modules are for: one variant, all variants, or the variant of an image with a slot.
"use strict";

const firmware = {
  // {name, bytes, about} of the image, if there is one.
  image: null,
  variants: [],
  changed: () => {},

  open({ variants, forms }) {
    firmware.variants = variants;
    const option = ({ name }) => element("option", { value: name }, name);
    byId("variant").replaceChildren(element("option", { value: "" }, "all variants"), ...variants.map(option));
    const names = ["auto", ...forms];
    byId("form").replaceChildren(element("option", { value: "" }, "default"),
      ...names.map((name) => element("option", { value: name }, firmware.form(name))));
    byId("image").addEventListener("change", async ({ target }) => {
      page.busy(true);
      for (const image of await files.of_list(target.files)) await firmware.take(image);
      target.value = "";
      firmware.changed();
    });
    byId("no-image").addEventListener("click", () => {
      firmware.image = null;
      firmware.draw();
      firmware.changed();
      byId("image").focus();
    });
    for (const id of ["variant", "slot", "form", "strip", "whole", "provisioning"]) {
      byId(id).addEventListener("change", () => {
        firmware.draw();
        firmware.changed();
      });
    }
    firmware.draw();
  },

  form(name) {
    if (name === "auto") return "auto: frozen while it fits";
    const label = costs.label(name);
    return label === name ? name : `${label} (${name} in fast.toml)`;
  },

  async take(image) {
    const about = await library.ask({ do: "firmware", file: image.name }, [image]);
    firmware.image = { ...image, about };
    byId("slot").replaceChildren(...(about.slots ?? []).map(({ number, offset }) =>
      element("option", { value: number }, `${number}, at 0x${offset.toString(16)}`)));
    firmware.draw();
  },

  // The slot for the modules.
  slot() {
    const slots = firmware.image?.about.slots ?? [];
    return slots.find(({ number }) => String(number) === byId("slot").value) ?? slots[0] ?? null;
  },

  // The variants to build for; null for all.
  chosen() {
    const slot = firmware.slot();
    if (slot?.known) return [slot.variant];
    const name = byId("variant").value;
    return name ? [name] : null;
  },

  messages: () => firmware.image?.about.messages ?? [],

  draw() {
    const { image } = firmware;
    const slot = firmware.slot();
    const slots = image?.about.slots ?? [];
    byId("variant").disabled = Boolean(slot?.known);
    if (slot?.known) byId("variant").value = slot.variant;
    byId("slot-field").hidden = slots.length < 2;
    byId("no-image").hidden = !image;
    byId("make-patch").disabled = !slot?.known;
    const found = firmware.variants.find(({ name }) => name === byId("variant").value);
    byId("variant-summary").textContent = found?.summary ?? "";
    byId("image-text").textContent = image ? firmware.described(image, slot) : "";
  },

  described({ name, about }, slot) {
    if (!about.kind) return `${name} can't be read as firmware: see the messages.`;
    const variants = about.compiled_in?.length ? ` Modules are compiled in, for ${about.compiled_in.join(", ")}.` : "";
    if (!slot) return `${name}: ${about.kind}, without a slot.${variants}`;
    const known = slot.known ? slot.variant : `${slot.variant}, which this page doesn't know`;
    const inside = slot.chunks.length ? `${counted(slot.chunks.length, "chunk")} in it now` : "empty now";
    return `${name}: ${about.kind}, variant ${known}; a slot of ${grouped(slot.capacity)} bytes, ${inside}.${variants}`;
  },
};
