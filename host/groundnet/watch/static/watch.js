"use strict";
// Keeps the page fresh and moves the time slider. Without this file a reload does the first, and the whole track is shown.
(() => {
  const EVERY_MS = 4000;
  const live = document.getElementById("live");
  const offline = document.getElementById("offline");
  if (!live) return;
  let shown = null;

  const slider = () => document.getElementById("until");

  function cut() {
    const range = slider();
    if (!range) return;
    const atEnd = range.value === range.max;
    const untilMs = Number(range.dataset.from) + 1000 * Number(range.value);
    for (const drawn of live.querySelectorAll("[data-t]")) drawn.classList.toggle("later", Number(drawn.dataset.t) > untilMs);
    const last = live.querySelector(".last");
    if (last) last.classList.toggle("later", !atEnd);
    for (const drawn of live.querySelectorAll(".fix.now")) drawn.classList.remove("now");
    const seen = [...live.querySelectorAll(".fix:not(.later)")];
    if (!atEnd) seen.at(-1)?.classList.add("now");
    const output = live.querySelector("output");
    if (output) output.value = new Date(untilMs).toLocaleString(document.documentElement.lang);
  }

  function show(html) {
    if (html === shown) return;
    const range = slider();
    const wanted = range && range.value !== range.max ? range.value : null; // at its end it goes on with the news
    const focused = document.activeElement === range;
    shown = html;
    live.innerHTML = html;
    const now = slider();
    if (now && wanted !== null) now.value = wanted;
    if (now && focused) now.focus();
    cut();
  }

  async function refresh() {
    try {
      const answer = await fetch(live.dataset.part);
      if (answer.status === 401) return location.assign("/");
      if (answer.status === 204) return location.assign("/"); // the case was closed
      if (answer.ok) show(await answer.text());
      offline.hidden = answer.ok;
    } catch {
      offline.hidden = false;
    }
    setTimeout(refresh, EVERY_MS);
  }

  live.addEventListener("input", cut);
  cut();
  setTimeout(refresh, EVERY_MS);
})();
