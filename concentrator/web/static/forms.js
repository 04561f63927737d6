// Forms: counts what is not saved, asks before it is lost, and runs a trial without leaving the page. All of it works
// without this too.
"use strict";

const form = document.querySelector("form[data-form]");
const LOOK_MS = 300;

function entries() {
  // What would be sent, but what no visitor typed.
  const found = new Map();
  for (const field of form.elements) {
    if (!field.name || field.type === "hidden" || field.type === "submit" || field.tagName === "FIELDSET") continue;
    found.set(field.name, field.type === "checkbox" ? String(field.checked) : field.type === "file" ? String(field.files.length) : field.value);
  }
  return found;
}

if (form) {
  const began = entries();
  const count = form.querySelector("[data-dirty]");
  let leaving = false;

  const dirty = () => [...entries()].filter(([name, value]) => began.get(name) !== value).length;

  const tell = () => {
    const changes = dirty();
    document.body.classList.toggle("dirty", changes > 0);
    if (count) {
      const words = changes === 1 ? count.dataset.one : count.dataset.many;
      count.textContent = changes && words ? words.replace("{n}", changes) : "";
    }
  };

  form.addEventListener("input", tell);
  form.addEventListener("change", tell);
  form.addEventListener("submit", () => { leaving = true; });
  window.addEventListener("beforeunload", (event) => {
    if (!leaving && dirty()) event.preventDefault();
  });
  const discard = form.querySelector("[data-discard]");
  if (discard) discard.addEventListener("click", () => { leaving = true; });

  // A page that came back with faults, or with what others saved, begins there.
  const faults = document.getElementById("faults");
  if (faults) faults.focus();

  trials();
  zone();
}

const print = document.querySelector("[data-print]");
if (print) {
  print.hidden = false;
  print.addEventListener("click", () => window.print());
}

function trials() {
  const place = document.getElementById("trial");
  const buttons = [...form.querySelectorAll("button[data-test]")];
  const save = form.querySelector("button[data-save]");
  if (!place || !buttons.length) return;
  const usual = save && save.textContent;

  const show = async (answer) => {
    place.innerHTML = await answer.text();
    const trial = place.querySelector("[data-trial]");
    place.scrollIntoView({ block: "nearest" });
    const running = trial.dataset.state === "running";
    for (const button of buttons) button.disabled = running;
    if (save) save.textContent = (!running && trial.dataset.anyway) || usual;
    if (running) {
      place.querySelector("[data-cancel]").addEventListener("click", () => cancel(trial.dataset.trial));
      setTimeout(() => look(trial.dataset.trial), LOOK_MS);
    }
  };

  const lost = () => { for (const button of buttons) button.disabled = false; };

  const look = async (address) => {
    const answer = await fetch(address).catch(() => null);
    const shown = place.querySelector("[data-trial]");
    if (!answer || !answer.headers.get("x-trial")) lost();
    else if (shown && shown.dataset.state === "running") await show(answer);
  };

  const cancel = async (address) => {
    const body = new URLSearchParams({ token: form.elements.token.value });
    const answer = await fetch(address, { method: "POST", body }).catch(() => null);
    if (answer && answer.headers.get("x-trial")) await show(answer);
  };

  for (const button of buttons) {
    button.addEventListener("click", async (event) => {
      event.preventDefault();
      const body = new FormData(form);
      body.set("do", button.value);
      body.set("script", "1");
      button.disabled = true;
      place.textContent = "";
      const answer = await fetch(form.action || location.href, { method: "POST", body }).catch(() => null);
      if (answer && answer.headers.get("x-trial")) {
        await show(answer);
      } else {
        // It did not begin: the page that says why is asked for as without a script.
        button.disabled = false;
        leave(button);
      }
    });
  }

  function leave(button) {
    const kept = document.createElement("input");
    kept.type = "hidden";
    kept.name = "do";
    kept.value = button.value;
    form.append(kept);
    form.requestSubmit(save || undefined);
  }
}

function zone() {
  // The zone of whoever looks, where it is another one.
  const field = document.getElementById("f-box-timezone");
  const button = document.querySelector("[data-zone]");
  if (!field || !button) return;
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!here || field.value === here || ![...field.options].some((option) => option.value === here)) return;
  button.textContent = button.dataset.zone.replace("{zone}", here.replaceAll("_", " "));
  button.hidden = false;
  button.addEventListener("click", () => {
    field.value = here;
    field.dispatchEvent(new Event("change", { bubbles: true }));
    button.hidden = true;
  });
}
