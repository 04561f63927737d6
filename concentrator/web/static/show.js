/* A button beside each password that shows what was typed, for as long as somebody wants to see it. */
(() => {
  "use strict";
  const { show, hide } = document.body.dataset;
  for (const input of document.querySelectorAll("input[type=password]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button";
    const label = document.querySelector(`label[for="${input.id}"]`)?.textContent ?? "";
    const tell = () => {
      button.textContent = input.type === "password" ? show : hide;
      button.setAttribute("aria-label", `${button.textContent}: ${label}`);
    };
    button.addEventListener("click", () => {
      input.type = input.type === "password" ? "text" : "password";
      tell();
    });
    input.form?.addEventListener("submit", () => { input.type = "password"; });
    tell();
    input.after(button);
  }
})();
