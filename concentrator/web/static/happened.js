/* Says how many events came since the page was drawn; they are shown when somebody wants to see them, not before, so
   that nothing moves under a finger. */
(() => {
  "use strict";
  const place = document.getElementById("new-events"), link = place.querySelector("a");
  const { one, many } = place.dataset;
  const drawn = Number(place.dataset.number);
  document.addEventListener("cells", ({ detail }) => {
    if (!detail[":newest"]) return;
    const number = detail[":newest"].number;
    // A smaller number is one of a program that has begun anew.
    const fresh = number < drawn ? number : number - drawn;
    place.hidden = fresh === 0;
    link.textContent = fresh === 1 ? one : many.replace("{n}", fresh);
  });
})();
