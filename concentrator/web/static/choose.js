/* The search box of Add External as a combobox (ARIA Authoring Practices: combobox with a list): hits while one types,
   arrows, Enter and Escape, and how many there are said aloud. A hit leads to the page that has it chosen. Without this
   the box is a form. */
(() => {
  "use strict";
  const WAIT_MS = 150;
  const form = document.querySelector("[data-choose]");
  if (!form) return;
  const input = form.q, list = form.querySelector("[role=listbox]"), count = form.querySelector("[data-count]");
  let timer = 0, asked = 0, at = -1;

  for (const [name, value] of Object.entries({
    role: "combobox", "aria-autocomplete": "list", "aria-controls": list.id, "aria-expanded": "false",
  })) input.setAttribute(name, value);

  const options = () => [...list.children];
  const mark = (place) => {
    at = place;
    options().forEach((option, index) => option.setAttribute("aria-selected", String(index === at)));
    if (at >= 0) {
      input.setAttribute("aria-activedescendant", options()[at].id);
      options()[at].scrollIntoView({ block: "nearest" });
    } else {
      input.removeAttribute("aria-activedescendant");
    }
  };
  const open = (is) => {
    list.hidden = !is;
    input.setAttribute("aria-expanded", String(is));
    mark(-1);
  };
  const draw = ({ hits, said }) => {
    list.replaceChildren(...hits.map((hit, place) => {
      const li = document.createElement("li"), name = document.createElement("b"), more = document.createElement("span");
      li.id = `option-${place}`;
      li.setAttribute("role", "option");
      li.dataset.href = hit.href;
      name.textContent = hit.text;
      more.className = "meta";
      more.textContent = ` ${hit.more}`;
      li.append(name, more);
      return li;
    }));
    count.textContent = said;
    open(hits.length > 0);
  };
  const look = async () => {
    const q = input.value.trim(), number = ++asked;
    if (!q) {
      count.textContent = "";
      open(false);
      return;
    }
    const about = new URLSearchParams(new FormData(form));
    const answer = await fetch(`${form.dataset.choose}?${about}`, { headers: { accept: "application/json" } });
    if (answer.ok && number === asked) draw(await answer.json());
  };
  const go = (option) => { location.assign(option.dataset.href); };

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, WAIT_MS);
  });
  input.addEventListener("keydown", (event) => {
    const last = options().length - 1;
    if (event.key === "ArrowDown" && last >= 0) {
      if (list.hidden) open(true);
      mark(at >= last ? 0 : at + 1);
    } else if (event.key === "ArrowUp" && last >= 0) {
      if (list.hidden) open(true);
      mark(at <= 0 ? last : at - 1);
    } else if (event.key === "Enter" && !list.hidden && at >= 0) {
      go(options()[at]);
    } else if (event.key === "Escape") {
      if (list.hidden) input.value = "";
      open(false);
    } else {
      return;
    }
    event.preventDefault();
  });
  list.addEventListener("mousedown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) go(option);
  });
  input.addEventListener("blur", () => open(false));
})();
