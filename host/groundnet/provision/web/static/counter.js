"use strict";
// Shows the screen that the server draws, and carries keys and scans to it. Without this file forms and reloads do.
(() => {
  const SETTLE_MS = 400; // Enter that was meant for the screen before is not taken for the new one
  const DIGIT_MS = 130; // a digit may be the first key of a scan
  const screen = document.getElementById("screen");
  const offline = document.getElementById("offline");
  const said = document.getElementById("said");
  let shownMs = 0;

  const shown = () => screen.querySelector(".screen");

  async function post(path, body) {
    try {
      const answer = await fetch(path, { method: "POST", body, redirect: "manual" });
      if (answer.status === 403 || answer.status === 401) location.reload();
    } catch {
      offline.hidden = false;
    }
  }

  // What a person has typed and not yet sent, by field.
  function typed() {
    const found = new Map();
    for (const field of screen.querySelectorAll("#order input:not([type=hidden]), #order select, [data-scan]")) {
      if (field.type === "radio") {
        if (field.checked && !field.defaultChecked) found.set(`${field.name}=${field.value}`, {});
      } else if (field.tagName === "SELECT") {
        const sent = field.querySelector("option[selected]");
        if (sent && !sent.selected) found.set(field.name, { value: field.value, sent: sent.value });
      } else if (field.value !== field.defaultValue) {
        found.set(field.name, { value: field.value, sent: field.defaultValue });
      }
    }
    return found;
  }

  function keep(found) {
    for (const field of screen.querySelectorAll("#order input:not([type=hidden]), #order select, [data-scan]")) {
      if (field.type === "radio") {
        if (field.name !== "profile" && found.has(`${field.name}=${field.value}`)) field.checked = true;
        continue;
      }
      const before = found.get(field.name);
      const selected = field.tagName === "SELECT" && field.querySelector("option[selected]");
      const sent = selected ? selected.value : field.defaultValue;
      if (before && before.sent === sent) field.value = before.value; // else the server knows better: it was scanned
    }
  }

  function show(html) {
    const before = shown() ? { ...shown().dataset } : {};
    const profile = screen.querySelector("[name=profile][checked]")?.value;
    const found = typed();
    const focused = document.activeElement?.name;
    screen.innerHTML = html;
    const now = shown().dataset;
    const same = before.owner === now.owner && profile === screen.querySelector("[name=profile][checked]")?.value;
    if (same) keep(found);
    const again = before.state === now.state && same && focused && screen.querySelector(`[name="${focused}"]:not([type=hidden])`);
    (again || screen.querySelector("[data-focus]") || document.body).focus?.();
    if (before.state !== now.state) shownMs = performance.now();
    said.textContent = [...screen.querySelectorAll(".word, .cause, .action")].map((part) => part.textContent).join(". ");
    const fresh = shown();
    setTimeout(() => { fresh.dataset.settled = ""; }, Math.max(0, SETTLE_MS - (performance.now() - shownMs)));
    if (before.version !== now.version && now.sound) {
      if (before.state !== now.state || now.sound === "failure") window.CounterSound.play(now.sound);
    }
  }

  function hear() {
    const stream = new EventSource("/events");
    let lost = 0;
    stream.onopen = () => {
      clearTimeout(lost);
      offline.hidden = true;
    };
    stream.onerror = () => {
      if (stream.readyState === EventSource.CLOSED) location.reload();
      clearTimeout(lost);
      lost = setTimeout(() => { offline.hidden = false; }, 1500);
    };
    stream.addEventListener("screen", (event) => show(event.data));
    stream.addEventListener("signed-out", () => location.reload());
  }

  function send(form, button) {
    const body = new URLSearchParams(new FormData(form));
    if (button && button.name) body.set(button.name, button.value);
    const scan = form.querySelector("[data-scan]");
    if (scan) scan.value = "";
    post(form.getAttribute("action"), body);
  }

  screen.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!("settled" in shown().dataset) && event.target.getAttribute("action") === "/key") return;
    send(event.target, event.submitter);
  });

  screen.addEventListener("change", (event) => {
    if (!event.target.matches("[data-draft]")) return;
    const body = new URLSearchParams(new FormData(event.target.form));
    body.set("do", "draft");
    post("/order", body);
  });

  function press(element) {
    if (!element || !element.isConnected) return;
    if (element.type === "radio") {
      element.checked = true;
      element.dispatchEvent(new Event("change", { bubbles: true }));
    } else {
      element.click();
    }
  }

  window.addEventListener("keydown", (event) => {
    if (event.isComposing || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
    const focus = document.activeElement;
    const typing = focus && focus.matches("input:not([type=radio]), select");
    const target = screen.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (/^[0-9]$/.test(event.key)) {
      if (target && !typing) setTimeout(() => window.CounterScanner.keys() === 1 && press(target), DIGIT_MS);
      return;
    }
    if (!target || (event.key === "Enter" && focus && focus.matches("button, a, input, select"))) return;
    event.preventDefault();
    press(target);
  });

  window.CounterScanner.listen((text) => post("/scan", new URLSearchParams({ token: shown().dataset.token, text })));
  hear();
  screen.querySelector("[data-focus]")?.focus();
})();
