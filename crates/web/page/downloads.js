// The files that the library makes, as links.
"use strict";

const downloads = {
  urls: [],
  // Stops the work of the last click.
  stop: new AbortController(),

  open() {
    for (const button of document.querySelectorAll("[data-output]")) {
      button.addEventListener("click", () => downloads.make(button.dataset.output));
    }
  },

  // After a change the old files are no longer offered, and the work for new ones stops.
  clear() {
    downloads.stop.abort();
    downloads.urls.splice(0).forEach((url) => URL.revokeObjectURL(url));
    byId("links").replaceChildren();
    byId("made").textContent = "";
  },

  link(name, bytes) {
    const url = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
    downloads.urls.push(url);
    const link = element("a", { href: url, download: name.split("/").pop() }, name);
    return element("li", {}, link, ` ${grouped(bytes.length)} bytes`);
  },

  // All files, with the firmware.
  given() {
    const image = firmware.image;
    const own = files.modules().filter(({ name }) => name !== image?.name);
    return [...own, ...(image ? [image] : [])].map(({ name, bytes }) => ({ name, bytes }));
  },

  failed(reasons) {
    byId("made").textContent = `Nothing was made: ${reasons.join("; ")}`;
  },

  async make(output) {
    downloads.clear();
    const refused = files.refusals().map(({ message }) => message);
    if (refused.length) {
      downloads.failed(refused);
      return;
    }
    byId("made").textContent = "Working…";
    const stop = (downloads.stop = new AbortController());
    let answer;
    try {
      const request = { do: "make", output, settings: page.settings() };
      answer = await library.ask(request, downloads.given(), { signal: stop.signal });
    } catch (error) {
      if (stop.signal.aborted) return;
      answer = { files: [], messages: [{ severity: "error", message: error.message, file: "", line: null }] };
    }
    downloads.clear();
    const errors = answer.messages.filter(({ severity }) => severity === "error");
    if (errors.length) {
      downloads.failed(errors.map(({ message }) => message));
      return;
    }
    const { files: made, lines } = answer;
    byId("made").textContent = `${counted(made.length, "file")} to download. ${lines.join("; ")}.`;
    const links = made.map(({ name, bytes }) => downloads.link(name, bytes));
    if (made.length > 1) {
      // A fixed time, so that the same files give the same zip.
      const options = { mtime: new Date(2000, 0, 1), level: 6 };
      const entries = Object.fromEntries(made.map(({ name, bytes }) => [name, [bytes, options]]));
      links.push(downloads.link(`fastlua-${output}.zip`, fflate.zipSync(entries)));
    }
    byId("links").replaceChildren(...links);
    byId("links").querySelector("a").focus();
  },
};
