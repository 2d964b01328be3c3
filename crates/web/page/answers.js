// The costs of files and the messages about them. An answer holds as long as its file and the settings are the same. When they
// change, the work for it is stopped.
"use strict";

const answers = {
  // By key: {file, part, promise, stop, answer}; the answer is null at first. What was used last is the last one.
  all: new Map(),
  // Forms that the library works out together: two workers share the work for one file.
  parts: [],
  // What all answers depend on: {generation, number, settings, modules}. The same settings have the same number.
  common: { generation: -1 },
  numbers: new Map(),

  open({ forms }) {
    const is_source = (form) => ["plain", "source", "deflated"].includes(form);
    answers.parts = [forms.filter((form) => !is_source(form)), forms.filter(is_source)];
  },

  // The modules among the files, with the errors that are about several files.
  modules() {
    return answers.ask("", 0, { do: "modules" }, answers.shared().modules);
  },

  // {chunks, messages} of a file; null as long as there is no answer.
  known(file) {
    const parts = answers.parts.map((_, part) => answers.all.get(answers.key(file, part)));
    if (!parts.every((entry) => entry?.answer)) return null;
    parts[0].together ??= answers.joined(parts.map(({ answer }) => answer), file);
    return parts[0].together;
  },

  // Works out what is not known of a file yet.
  async about(file) {
    const { settings, modules } = answers.shared();
    // Without a fast.toml the costs of a file depend on no other file.
    const given = files.has_manifest() ? modules : [files.all.get(file)].filter(Boolean);
    const with_messages = answers.parts.findIndex((forms) => forms.includes(settings.as ?? "bytecode"));
    await Promise.all(answers.parts.map((forms, part) => {
      const messages = part === Math.max(with_messages, 0);
      return answers.ask(file, part, { do: "costs", file, forms, messages }, given);
    }));
  },

  // One answer of the answers to the parts.
  joined(parts, file) {
    const chunks = (parts[0].chunks ?? []).map((chunk, i) => {
      const variants = {};
      for (const part of parts) {
        for (const [variant, costs] of Object.entries(part.chunks?.[i]?.variants ?? {})) {
          variants[variant] = { ...variants[variant], ...costs };
        }
      }
      return { file, ...chunk, variants };
    });
    // A file that can't be read as a module has the same errors in both parts.
    const texts = new Set();
    const is_new = ({ message }) => !texts.has(message) && texts.add(message);
    return { chunks, messages: parts.flatMap(({ messages }) => messages).filter(is_new) };
  },

  shared() {
    if (answers.common.generation === page.generation) return answers.common;
    const settings = { ...page.settings(), firmware: null, slot: null };
    const manifest = files.all.get("fast.toml");
    const text = JSON.stringify([settings, manifest ? [manifest.version, files.names()] : null]);
    if (!answers.numbers.has(text)) answers.numbers.set(text, answers.numbers.size);
    const number = answers.numbers.get(text);
    return (answers.common = { generation: page.generation, number, settings, modules: files.modules() });
  },

  // Names all that an answer depends on.
  key(file, part) {
    const { number, modules } = answers.shared();
    const versions = file ? [files.all.get(file)?.version] : modules.map(({ version }) => version);
    return `${number} ${part} ${versions} ${file}`;
  },

  ask(file, part, request, given) {
    const key = answers.key(file, part);
    const known = answers.all.get(key);
    if (known) {
      answers.all.delete(key);
      answers.all.set(key, known);
      return known.promise;
    }
    const stop = new AbortController();
    const entry = { file, part, stop, answer: null };
    const { settings } = answers.shared();
    entry.promise = library.ask({ ...request, settings }, given, { signal: stop.signal }).then(
      (answer) => (entry.answer = answer),
      (error) => {
        if (stop.signal.aborted) throw error;
        const message = `${file || "The modules"}: ${error.message}; a new one was started`;
        entry.is_failed = true;
        return (entry.answer = { modules: [], messages: [{ severity: "error", message, file, line: null }] });
      },
    );
    // Work that was stopped is no fault.
    entry.promise.catch(() => {});
    answers.all.set(key, entry);
    return entry.promise;
  },

  // Stops all work whose file or settings have changed. What failed is tried again.
  stop_outdated() {
    for (const [key, { file, part, answer, stop, is_failed }] of answers.all) {
      if (!is_failed && (answer || key === answers.key(file, part))) continue;
      answers.all.delete(key);
      if (!answer) stop.abort();
    }
  },

  // Drops the answers that were not used for longest.
  forget() {
    const excess = answers.all.size - 1000 - 4 * files.all.size;
    if (excess > 0) [...answers.all.keys()].slice(0, excess).forEach((key) => answers.all.delete(key));
  },
};
