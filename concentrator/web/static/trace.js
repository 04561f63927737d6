/* Shows the exchanges on a wire as they come, newest first, through the filter above them. Paused, it shows nothing new;
   what came meanwhile is shown when it goes on, as far as it is still among the newest. */
(() => {
  "use strict";
  const list = document.querySelector(".trace"), template = document.getElementById("exchange");
  const form = document.getElementById("filter"), pause = document.getElementById("pause");
  const none = document.getElementById("no-exchange");
  const most = Number(list.dataset.most);
  const word = pause.querySelector("span"), pausing = word.textContent;
  let seen = null, isPaused = false, newest = [];

  const fits = (row) => (!form.id.value || row.station === form.id.value) && (!form.errors.checked || row.kind !== "");
  const made = (row) => {
    const li = template.content.firstElementChild.cloneNode(true);
    li.dataset.id = row.station;
    li.dataset.kind = row.kind;
    for (const element of li.querySelectorAll("[data-part]")) element.textContent = row[element.dataset.part];
    li.querySelector(".bytes.in").hidden = row.received === "";
    li.querySelector(".trouble").hidden = row.verdict === "";
    return li;
  };
  const show = () => {
    // What the server drew has no keys: the first frame only tells what is known already.
    if (seen === null) seen = new Set(newest.map((row) => row.key));
    const fresh = newest.filter((row) => !seen.has(row.key));
    for (const row of fresh.slice().reverse()) {
      if (fits(row)) list.prepend(made(row));
    }
    seen = new Set(newest.map((row) => row.key));
    while (list.children.length > most) list.lastElementChild.remove();
    none.hidden = list.children.length > 0;
  };
  document.addEventListener("cells", ({ detail }) => {
    if (!detail[":trace"]) return;
    newest = detail[":trace"].rows;
    if (!isPaused) show();
  });
  pause.addEventListener("click", () => {
    isPaused = !isPaused;
    pause.setAttribute("aria-pressed", String(isPaused));
    word.textContent = isPaused ? pause.dataset.goOn : pausing;
    const use = pause.querySelector("use");
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, isPaused ? "#play" : "#pause"));
    if (!isPaused) show();
  });
  pause.hidden = false;
})();
