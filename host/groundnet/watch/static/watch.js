"use strict";
// Keeps the page fresh and moves the time slider. Without this file a reload does the first, and the whole track is shown.
(() => {
  const EVERY_MS = 4000;
  const live = document.getElementById("live");
  const offline = document.getElementById("offline");
  if (!live) return;
  let shown = null, answeredAt = new Date();

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

  // What has the focus, so that it has it again among the news.
  function focused() {
    const element = document.activeElement;
    if (!live.contains(element)) return null;
    if (element.id) return "#" + element.id;
    return element.hasAttribute("href") ? `${element.localName}[href="${element.getAttribute("href")}"]` : null;
  }

  function show(html) {
    if (html === shown) return;
    const range = slider();
    const wanted = range && range.value !== range.max ? range.value : null; // at its end it goes on with the news
    const selector = focused();
    const scrolled = live.querySelector(".scroll")?.scrollTop ?? 0;
    shown = html;
    live.innerHTML = html;
    if (slider() && wanted !== null) slider().value = wanted;
    if (selector) live.querySelector(selector)?.focus({ preventScroll: true });
    live.querySelector(".scroll")?.scrollTo(0, scrolled);
    cut();
  }

  function answered(well) {
    offline.hidden = well;
    if (well) answeredAt = new Date();
    else offline.querySelector("time").textContent = answeredAt.toLocaleString(document.documentElement.lang);
  }

  async function refresh() {
    try {
      const answer = await fetch(live.dataset.part);
      if (answer.status === 401) return location.assign("/");
      if (answer.status === 204) return location.assign("/"); // the case was closed
      if (answer.ok) show(await answer.text());
      answered(answer.ok);
    } catch {
      answered(false);
    }
    setTimeout(refresh, EVERY_MS);
  }

  live.addEventListener("input", cut);
  cut();
  setTimeout(refresh, EVERY_MS);
})();
