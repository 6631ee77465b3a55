"use strict";
// Success and failure as tones, made here: nothing is fetched, and a deaf colleague sees word and icon.
window.CounterSound = (() => {
  const TONES = {
    success: [[660, 0, 0.12], [990, 0.13, 0.22]], // Hz, begins after s, lasts s
    failure: [[220, 0, 0.22], [165, 0.26, 0.38]],
  };
  let context = null;

  // A browser lets a page sound only after the first key or touch.
  function wake() {
    context = context || new AudioContext();
    context.resume();
  }
  for (const kind of ["keydown", "pointerdown"]) {
    window.addEventListener(kind, wake, { capture: true, once: true });
  }

  function play(name) {
    if (!context || !TONES[name]) return;
    for (const [hertz, after, lasts] of TONES[name]) {
      const begin = context.currentTime + after;
      const tone = context.createOscillator();
      const volume = context.createGain();
      tone.type = name === "failure" ? "square" : "sine";
      tone.frequency.value = hertz;
      volume.gain.setValueAtTime(0.0001, begin);
      volume.gain.exponentialRampToValueAtTime(0.25, begin + 0.015);
      volume.gain.exponentialRampToValueAtTime(0.0001, begin + lasts);
      tone.connect(volume).connect(context.destination);
      tone.start(begin);
      tone.stop(begin + lasts);
    }
  }
  return { play };
})();
