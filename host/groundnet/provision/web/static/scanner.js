"use strict";
// A scanner is a keyboard that types fast. It is told from a person by the gaps between its keys and by how its codes
// begin, wherever the focus is. Physical keys (event.code) are read: a Chinese input method changes what a key types
// (event.key is "Process", isComposing is true), not which key it was.
window.CounterScanner = (() => {
  const GAP_MS = 100; // scanners need 30 to 100 ms for a key
  const MEAN_GAP_MS = 60; // a person who types as fast does not do it for long
  const LEAST_KEYS = 6;
  const SILENCE_MS = 150; // ends a label when the scanner sends no Enter
  const PREFIX = "LW:";
  const WHOLE_LABEL = /^LW:D0:.*:C[0-9A-F]{4}$/;
  const UNSHIFTED = {
    Minus: "-", Equal: "=", BracketLeft: "[", BracketRight: "]", Backslash: "\\", Semicolon: ";", Quote: "'",
    Backquote: "`", Comma: ",", Period: ".", Slash: "/", Space: " ",
    NumpadAdd: "+", NumpadSubtract: "-", NumpadMultiply: "*", NumpadDivide: "/", NumpadDecimal: ".",
  };
  const SHIFTED = {
    Minus: "_", Equal: "+", BracketLeft: "{", BracketRight: "}", Backslash: "|", Semicolon: ":", Quote: '"',
    Backquote: "~", Comma: "<", Period: ">", Slash: "?", Space: " ",
    Digit1: "!", Digit2: "@", Digit3: "#", Digit4: "$", Digit5: "%", Digit6: "^", Digit7: "&", Digit8: "*",
    Digit9: "(", Digit0: ")",
  };

  function character(event) {
    const code = event.code || "";
    if (SHIFTED[code] && (event.shiftKey || event.key === SHIFTED[code])) return SHIFTED[code];
    if (/^Key[A-Z]$/.test(code)) return code[3]; // capitals: codes on tags have no others
    if (/^(Digit|Numpad)[0-9]$/.test(code)) return code.slice(-1);
    if (UNSHIFTED[code]) return UNSHIFTED[code];
    return event.key && event.key.length === 1 ? event.key.normalize("NFKC") : ""; // 云, typed by its number
  }

  class Burst {
    constructor() {
      this.clear();
    }
    clear() {
      this.text = "";
      this.beganMs = this.lastMs = -Infinity;
    }
    running(nowMs) {
      return this.text !== "" && nowMs - this.lastMs <= GAP_MS;
    }
    add(typed, nowMs) {
      if (!this.running(nowMs)) {
        this.clear();
        this.beganMs = nowMs;
      }
      this.text += typed;
      this.lastMs = nowMs;
    }
    // What was scanned when Enter came now; "" when a person pressed it.
    ended(nowMs, inField) {
      if (!this.running(nowMs)) return "";
      const keys = this.text.length;
      const meanMs = (nowMs - this.beganMs) / keys;
      const fast = meanMs <= MEAN_GAP_MS && keys >= (inField ? LEAST_KEYS : 2);
      return fast || this.text.startsWith(PREFIX) ? this.text : "";
    }
  }

  const burst = new Burst();
  let field = null; // that had the focus when the burst began, and what was in it
  let valueBefore = "";
  let restoreUntilMs = 0;
  let silence = 0;
  let tell = () => {};

  function editable(element) {
    return element && element.matches && element.matches("input:not([type=radio]):not([type=hidden]), textarea");
  }

  function restore() {
    if (!field || !field.isConnected) return;
    field.value = valueBefore;
  }

  function finish(text, nowMs) {
    burst.clear();
    clearTimeout(silence);
    if (field) {
      field.blur(); // ends a composition of the input method
      restore();
      field.focus();
      restoreUntilMs = nowMs + 250; // what it still brings is thrown away, too
    }
    tell(text);
  }

  function pressed(event) {
    if (event.ctrlKey || event.metaKey || document.activeElement.type === "password") return;
    const nowMs = event.timeStamp;
    if (["Enter", "NumpadEnter", "Tab"].includes(event.code) || event.key === "Enter") {
      const text = burst.ended(nowMs, editable(document.activeElement));
      if (!text) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      finish(text, nowMs);
      return;
    }
    const typed = character(event);
    if (!typed || event.altKey) return;
    if (!burst.running(nowMs)) {
      field = editable(document.activeElement) ? document.activeElement : null;
      valueBefore = field ? field.value : "";
    } else if (!field) {
      event.preventDefault(); // a space of a scan must not press the button that has the focus
    }
    burst.add(typed, nowMs);
    clearTimeout(silence);
    silence = setTimeout(() => {
      if (WHOLE_LABEL.test(burst.text)) finish(burst.text, performance.now());
    }, SILENCE_MS);
  }

  function afterwards(event) {
    if (event.timeStamp < restoreUntilMs && event.target === field) restore();
  }

  function listen(onScan) {
    tell = onScan;
    window.addEventListener("keydown", pressed, { capture: true });
    window.addEventListener("compositionend", afterwards, { capture: true });
    window.addEventListener("input", afterwards, { capture: true });
  }
  return { listen, keys: () => burst.text.length };
})();
