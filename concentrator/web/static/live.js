/* Keeps a page alive: one stream sends the cells that changed, this puts their parts where the page shows them, and
   counts ages by the box's clock, so that a wrong clock here lies to nobody. It knows no quantity, and its words come
   with the page. Other scripts hear of cells by the event "cells" of the document. */
(() => {
  "use strict";
  const BEAT_MS = 5000, LOST_MS = 2 * BEAT_MS + 1000, RETRY_MS = 5000, SPEAK_MS = 3000;
  const { events, now, offset } = document.body.dataset;
  const words = JSON.parse(document.body.dataset.say || "{}");
  const notice = document.getElementById("notice");
  const asOf = document.getElementById("as-of");
  const button = document.getElementById("live");
  if (!events || !window.EventSource) return;

  const clock = { now: Number(now), offset: Number(offset), at: performance.now() };
  const places = new Map();   // cell name → the elements that show a part of it
  const ages = new Map();     // element → { words, at, since }
  const unsaid = [];          // what happened, to be spoken of
  let stream = null, heardAt = performance.now(), triedAt = 0, isLost = false, isPaused = false, heardFirst = false,
    spokenAt = -SPEAK_MS;

  const GAP = "\u00a0", MISSING = "\u2014";

  /* ---- time, as the box sees it ---- */
  const boxNow = () => clock.now + (performance.now() - clock.at) / 1000;
  const clockTime = (at) => new Date((at + clock.offset) * 1000).toISOString().slice(11, 19);
  const ago = (age, since) => {
    if (age < 60) return words.s.replace("{n}", age);
    if (age < 3600) return words.min.replace("{n}", Math.floor(age / 60));
    return since;
  };
  const span = (s) => {
    const min = Math.floor(s / 60), h = Math.floor(s / 3600);
    if (s < 60) return `${s}${GAP}s`;
    if (s < 3600) return `${min}${GAP}min`;
    if (s < 86400) return `${h}${GAP}h ${min % 60}${GAP}min`;
    return `${Math.floor(h / 24)}${GAP}d ${h % 24}${GAP}h`;
  };

  /* ---- cells ---- */
  const put = (element, text) => {
    if (element.textContent !== text) element.textContent = text;
    element.hidden = text === "";
  };
  const putAge = (element) => {
    const { words, at, since } = ages.get(element);
    const age = Math.max(0, Math.floor(boxNow() - at));
    put(element, words.replace("{ago}", () => ago(age, since)).replace("{span}", () => span(age)));
  };
  const SHOW = {
    text: (element, cell) => put(element, cell.text),
    unit: (element, cell) => put(element, cell.unit),
    last: (element, cell) => put(element, cell.last),
    needle: (element, cell) => {
      element.toggleAttribute("hidden", cell.needle === "");
      if (cell.needle !== "") element.setAttribute("transform", `translate(${cell.needle} 0)`);
    },
    readout: (element, cell) =>
      put(element, cell.unit && cell.text !== MISSING ? cell.text + GAP + cell.unit : cell.text),
    words: (element, cell) => {
      if (cell.at === null) {
        ages.delete(element);
        put(element, cell.words);
      } else {
        ages.set(element, cell);
        putAge(element);
      }
    },
    icon: (element, cell) => element.setAttribute("href", element.getAttribute("href").replace(/#.*/, `#${cell.health}`)),
    health: (element, cell) => {
      const before = element.dataset.health;
      element.dataset.health = cell.health;
      const name = element.matches("article") && before !== cell.health && element.querySelector("[data-name]");
      if (name && heardFirst) unsaid.push(`${name.textContent}: ${element.querySelector(".badge").textContent}`);
    },
  };
  const show = (cells) => {
    for (const [name, cell] of Object.entries(cells)) {
      // From the inside out, so that a card that is spoken of says its new words.
      for (const element of (places.get(name) || []).slice().reverse()) SHOW[element.dataset.show](element, cell);
    }
    heardFirst = true;
    document.dispatchEvent(new CustomEvent("cells", { detail: cells }));
  };
  for (const element of document.querySelectorAll("[data-cell]")) {
    const name = element.dataset.cell;
    if (!places.has(name)) places.set(name, []);
    places.get(name).push(element);
    const { words, at, since } = element.dataset;
    if (at) ages.set(element, { words, at: Number(at), since });
  }

  /* ---- what is said aloud, or shown above the page ---- */
  const say = (tone, text) => {
    notice.dataset.tone = tone;
    notice.textContent = text;
  };
  const speak = () => {
    if (!unsaid.length || performance.now() - spokenAt < SPEAK_MS) return;
    spokenAt = performance.now();
    say("quiet", unsaid.splice(0).join(". "));
  };

  /* ---- the stream ---- */
  const heard = () => {
    heardAt = performance.now();
    if (isLost) {
      isLost = false;
      say("quiet", words.back);
    }
  };
  const close = () => {
    if (stream) stream.close();
    stream = null;
  };
  const open = () => {
    close();
    triedAt = performance.now();
    stream = new EventSource(events);
    stream.addEventListener("beat", (event) => {
      const beat = JSON.parse(event.data);
      Object.assign(clock, { now: beat.now, offset: beat.offset, at: performance.now() });
      heard();
    });
    stream.addEventListener("cells", (event) => {
      heard();
      show(JSON.parse(event.data));
    });
  };
  const tick = () => {
    if (isPaused || document.hidden) return;
    for (const element of ages.keys()) putAge(element);
    const silence = performance.now() - heardAt;
    if (silence < LOST_MS) {
      put(asOf, clockTime(boxNow()));
      speak();
      return;
    }
    if (!isLost) {
      isLost = true;
      const lastHeard = clockTime(boxNow() - silence / 1000);
      put(asOf, lastHeard);
      say("lost", (document.body.dataset.lost || words.lost).replace("{t}", lastHeard));
    }
    if (performance.now() - triedAt > RETRY_MS) open();
  };

  button.addEventListener("click", () => {
    isPaused = !isPaused;
    document.body.toggleAttribute("data-paused", isPaused);
    button.setAttribute("aria-pressed", String(!isPaused));
    const use = button.querySelector("use");
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, isPaused ? "#play" : "#pause"));
    if (isPaused) {
      close();
      say("paused", words.paused.replace("{t}", clockTime(boxNow())));
    } else {
      say("quiet", "");
      resume();
    }
  });
  const resume = () => {
    heardAt = performance.now();
    open();
    tick();
  };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) close();
    else if (!isPaused) resume();
  });
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => { if (event.persisted && !isPaused) resume(); });

  for (const element of document.querySelectorAll("[data-without-script]")) element.hidden = true;
  button.hidden = false;
  if (!document.hidden) open();
  setInterval(tick, 1000);
})();
