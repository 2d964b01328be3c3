// Errors, warnings and notes about the modules, in a list and in the editor.
"use strict";

const messages = {
  all: [],

  // By file, how many there are of each severity.
  counts() {
    const counts = new Map();
    for (const { file, severity } of messages.all) {
      if (!counts.has(file)) counts.set(file, {});
      counts.get(file)[severity] = (counts.get(file)[severity] ?? 0) + 1;
    }
    return counts;
  },

  show(all) {
    const order = { error: 0, warning: 1, note: 2 };
    messages.all = [...all].sort((a, b) => order[a.severity] - order[b.severity]);
    const item = ({ severity, message, file, line }) => {
      const word = element("span", { class: `mark ${severity}` }, severity);
      const text = element("span", { class: "text" }, message);
      const target = files.all.has(file)
        ? element("button", { type: "button", onclick: () => editor.go_to(file, line) }, word, " ", text)
        : element("p", {}, word, " ", text);
      return element("li", {}, target);
    };
    const list = byId("messages");
    const had_focus = [...list.children].findIndex((child) => child.contains(document.activeElement));
    list.replaceChildren(...messages.all.map(item));
    if (had_focus >= 0) list.children[Math.min(had_focus, list.children.length - 1)]?.querySelector("button")?.focus();
    byId("summary").textContent = messages.summary();
    editor.annotate(messages.all);
    files.draw();
  },

  summary() {
    const of = (severity) => messages.all.filter((m) => m.severity === severity).length;
    const words = ["error", "warning", "note"].filter(of).map((word) => counted(of(word), word));
    if (words.length) return `${words.join(", ")}.`;
    return files.all.size || page.settings().with ? "No errors and no warnings." : "Add a module to begin.";
  },
};
