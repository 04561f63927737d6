/* Draws the rows of a page as they come: a mark, what it says, and a way on, the same as the server draws them. And loads
   the page anew when what it is about has changed: a mode that was entered or left, a task that is over. */
(() => {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg";
  const made = (name, className, text) => {
    const element = document.createElement(name);
    if (className) element.className = className;
    if (text) element.textContent = text;
    return element;
  };
  const icon = (icons, mark) => {
    const svg = document.createElementNS(SVG, "svg"), use = document.createElementNS(SVG, "use");
    svg.setAttribute("class", "icon");
    svg.setAttribute("aria-hidden", "true");
    use.setAttribute("href", `${icons}#${mark}`);
    svg.append(use);
    return svg;
  };
  const item = (icons, row) => {
    const li = made("li");
    li.append(icon(icons, row.mark), made("span", "", row.text));
    if (row.href) {
      const a = made("a", "button", row.label);
      a.href = row.href;
      li.append(a);
    }
    return li;
  };
  const told = new Map();
  document.addEventListener("cells", ({ detail }) => {
    for (const list of document.querySelectorAll("[data-rows]")) {
      const cell = detail[list.dataset.rows];
      if (!cell) continue;
      cell.rows.forEach((row, place) => {
        const key = JSON.stringify(row), before = list.children[place];
        if (before && (told.get(before) || "") === key) return;
        const li = item(list.dataset.icons, row);
        told.set(li, key);
        // A row that has the keyboard is left alone while its words are the same.
        if (!before) list.append(li);
        else if (!before.contains(document.activeElement) || before.textContent !== li.textContent) before.replaceWith(li);
      });
      while (list.children.length > cell.rows.length) list.lastElementChild.remove();
      const empty = document.querySelector(`[data-empty="${list.dataset.rows}"]`);
      if (empty) empty.hidden = cell.rows.length > 0;
    }
    for (const element of document.querySelectorAll("[data-changes]")) {
      const cell = detail[element.dataset.changes];
      if (cell && cell.text !== element.dataset.now) location.reload();
    }
  });
})();
