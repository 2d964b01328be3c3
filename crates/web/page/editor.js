// The text of the file that is shown, with messages at its lines.
"use strict";

const editor = {
  ace: null,
  sessions: new Map(),
  // Whether something is in the page alone.
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
    // They would load more of the editor than the page has.
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

  // The text of bytes; null where they are no UTF-8.
  text_of(bytes) {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      return null;
    }
  },

  session_of(name) {
    if (editor.sessions.has(name)) return editor.sessions.get(name);
    const { bytes } = files.all.get(name);
    const is_dump = bytes[0] === 0x1b;
    const text = is_dump ? null : editor.text_of(bytes);
    const shown = text ?? (is_dump ? "(bytecode)" : new TextDecoder("latin1").decode(bytes));
    const session = ace.createEditSession(shown, /\.lua$/.test(name) ? "ace/mode/lua" : "ace/mode/text");
    session.setUseWorker(false);
    session.setUseWrapMode(true);
    session.setOptions({ tabSize: 2, useSoftTabs: true });
    // Bytes that would not come back stay as they are.
    session.is_fixed = text === null;
    session.on("change", () => {
      if (session.is_fixed) return;
      editor.is_typed = true;
      files.put(name, new TextEncoder().encode(session.getValue()));
      files.changed();
    });
    editor.sessions.set(name, session);
    return session;
  },

  show(name) {
    const session = name === null ? ace.createEditSession("", "ace/mode/text") : editor.session_of(name);
    editor.ace.setSession(session);
    editor.annotate(messages.all);
    editor.ace.setReadOnly(name === null || session.is_fixed);
    byId("editor-file").textContent = name === null ? "" : `: ${name}${session.is_fixed ? " (can't be edited here)" : ""}`;
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
