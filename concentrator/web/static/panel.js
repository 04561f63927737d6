/* The button of the Panel page: held with finger, mouse, space or enter; says while it is held what letting it go will do,
   and sends for how long it was. From which second on it does what, the page says. */
(() => {
  "use strict";
  const form = document.getElementById("hold");
  if (!form) return;
  const button = form.querySelector("button"), ring = form.querySelector("progress"), said = form.querySelector("span");
  const steps = JSON.parse(form.dataset.steps);
  const promise = (s) => steps.findLast((step) => s >= step.since);
  let since = null, timer = null;
  const held = () => (performance.now() - since) / 1000;
  const show = () => {
    ring.value = Math.min(10, held());
    const { words } = promise(held());
    if (said.textContent !== words) said.textContent = words;
  };
  const press = (event) => {
    if (since !== null || event.button > 0) return;
    since = performance.now();
    timer = setInterval(show, 100);
    show();
  };
  const stop = () => {
    clearInterval(timer);
    since = null;
    ring.value = 0;
    said.textContent = "";
  };
  const release = () => {
    if (since === null) return;
    const s = held();
    stop();
    if (!promise(s).acts) return;
    form.elements.held_s.value = s.toFixed(1);
    form.submit();
  };
  const isKey = (event) => event.key === " " || event.key === "Enter";
  button.addEventListener("pointerdown", (event) => {
    button.setPointerCapture(event.pointerId);
    press(event);
  });
  button.addEventListener("pointerup", release);
  button.addEventListener("pointercancel", stop);
  button.addEventListener("keydown", (event) => { if (isKey(event) && !event.repeat) { event.preventDefault(); press(event); } });
  button.addEventListener("keyup", (event) => { if (isKey(event)) { event.preventDefault(); release(); } });
  button.addEventListener("blur", stop);
  button.addEventListener("contextmenu", (event) => event.preventDefault());
  form.hidden = false;
})();
