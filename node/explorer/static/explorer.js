// What htmx does not do by itself: pausing a page that updates. Without this the page is whole.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const button = document.getElementById("pause");
  if (!button) return;
  let paused = false;
  button.hidden = false;
  button.addEventListener("click", () => {
    paused = !paused;
    button.setAttribute("aria-pressed", String(paused));
    button.textContent = paused ? button.dataset.goOn : button.dataset.pause;
  });
  document.addEventListener("htmx:sse:before:message", (event) => {
    if (paused) event.preventDefault();
  });
});
