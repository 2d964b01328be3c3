// Files that the library makes, as links to download.
"use strict";

const downloads = {
  urls: [],

  open() {
    for (const button of document.querySelectorAll("[data-output]")) {
      button.addEventListener("click", () => downloads.make(button.dataset.output));
    }
  },

  // What was made of modules that have changed since is no longer offered.
  clear() {
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

  async make(output) {
    downloads.clear();
    byId("made").textContent = "Working…";
    const generation = page.generation;
    let answer;
    try {
      answer = await library.ask({ do: "make", output, settings: page.settings() }, page.given());
    } catch (error) {
      answer = { files: [], messages: [{ severity: "error", message: error.message, file: "", line: null }] };
    }
    if (generation !== page.generation) return;
    downloads.clear();
    const errors = answer.messages.filter(({ severity }) => severity === "error");
    if (errors.length) {
      byId("made").textContent = `Nothing was made: ${errors.map(({ message }) => message).join("; ")}`;
      return;
    }
    const { files: made, lines } = answer;
    byId("made").textContent = `${counted(made.length, "file")} to download. ${lines.join("; ")}.`;
    const links = made.map(({ name, bytes }) => downloads.link(name, bytes));
    if (made.length > 1) {
      // The same files give the same zip.
      const options = { mtime: new Date(2000, 0, 1), level: 6 };
      const entries = Object.fromEntries(made.map(({ name, bytes }) => [name, [bytes, options]]));
      links.push(downloads.link(`fastlua-${output}.zip`, fflate.zipSync(entries)));
    }
    byId("links").replaceChildren(...links);
    byId("links").querySelector("a").focus();
  },
};
