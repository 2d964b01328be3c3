// The editor: the text of a file, with messages at its lines.
"use strict";

const editor = {
  // Characters of the longest line that can be edited: the editor lays out a whole line after each key.
  LONGEST: 10_000,
  ace: null,
  sessions: new Map(),
  // Whether the page has text that is in no file.
  is_typed: false,

  open() {
    ace.config.set("useStrictCSP", true);
    editor.ace = ace.edit("editor", {
      enableKeyboardAccessibility: true,
      fontSize: "0.95rem",
      minLines: 12,
      maxLines: 28,
      showPrintMargin: false,
      tabSize: 2,
      useWorker: false,
      wrap: true,
    });
    // These commands would load parts of the editor that the page does not have.
    editor.ace.commands.removeCommands(["gotoline", "openCommandPalette", "openCommandPallete", "showSettingsMenu"]);
    editor.ace.renderer.setTheme({ cssClass: "ace-page", cssText: "", isDark: false });
    const text = editor.ace.textInput.getElement();
    text.setAttribute("aria-label", "Text of the module");
    text.setAttribute("aria-describedby", "editor-hint");
    addEventListener("beforeunload", (event) => {
      if (editor.is_typed) event.preventDefault();
    });
    editor.show(null);
  },

  // Bytes as text; null if they are not UTF-8.
  text_of(bytes) {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      return null;
    }
  },

  // The text that is shown, and why it can't be edited; null if it can.
  content(bytes) {
    if (bytes[0] === 0x1b) return ["(bytecode)", "it is bytecode"];
    const text = editor.text_of(bytes);
    const shown = text ?? new TextDecoder("latin1").decode(bytes);
    if (shown.split("\n").some(({ length }) => length > editor.LONGEST)) {
      return ["(lines that are too long to be shown)", `a line is longer than ${grouped(editor.LONGEST)} characters`];
    }
    // Other bytes than those of the file would come back.
    return [shown, text === null ? "it is not UTF-8" : null];
  },

  session_of(name) {
    if (editor.sessions.has(name)) return editor.sessions.get(name);
    const [shown, reason] = editor.content(files.all.get(name).bytes);
    const session = ace.createEditSession(shown, /\.lua$/.test(name) ? "ace/mode/lua" : "ace/mode/text");
    session.setUseWorker(false);
    session.setUseWrapMode(true);
    session.setOptions({ tabSize: 2, useSoftTabs: true });
    session.reason = reason;
    session.on("change", () => {
      if (reason) return;
      editor.is_typed = true;
      files.typed(name, new TextEncoder().encode(session.getValue()));
    });
    editor.sessions.set(name, session);
    return session;
  },

  show(name) {
    const session = name === null ? ace.createEditSession("", "ace/mode/text") : editor.session_of(name);
    editor.ace.setSession(session);
    editor.annotate(messages.all);
    editor.ace.setReadOnly(name === null || Boolean(session.reason));
    const reason = session.reason ? ` (can't be edited here: ${session.reason})` : "";
    byId("editor-file").textContent = name === null ? "" : `: ${name}${reason}`;
  },

  forget(name) {
    editor.sessions.delete(name);
    if (files.shown === name && files.all.has(name)) editor.show(name);
  },

  annotate(all) {
    for (const [name, session] of editor.sessions) {
      const own = all.filter(({ file, line }) => file === name && line);
      const type = { error: "error", warning: "warning", note: "info" };
      session.setAnnotations(own.map(({ severity, message, line }) => ({
        row: Math.min(line, session.getLength()) - 1, column: 0, text: message, type: type[severity] })));
    }
  },

  go_to(name, line) {
    if (!files.all.has(name)) return;
    files.show(name);
    editor.ace.gotoLine(line ?? 1, 0);
    editor.enter();
  },

  enter: () => editor.ace.focus(),
};
