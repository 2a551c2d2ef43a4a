// What htmx does not do by itself: pausing a page that updates, and following what a page has begun.
// Without this the pages are whole.
"use strict";

const AGAIN_MS = 500;

async function follow() {
  const done = document.getElementById("done");
  if (!done || !done.dataset.running) return;
  await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  try {
    const answer = await fetch(done.dataset.running, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("done");
    if (fresh && fresh.dataset.running) {
      done.replaceChildren(...fresh.childNodes);
    } else if (fresh) {
      // It has ended: the steps and the dates are others now.
      const desk = document.getElementById("desk");
      desk.replaceChildren(...page.getElementById("desk").childNodes);
      document.getElementById("done-heading").focus({ preventScroll: true });
    }
  } catch {
    // The node is away, or busy; ask again.
  }
  follow();
}

document.addEventListener("DOMContentLoaded", follow);

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
    // What a keyboard is in stays as it is: to replace it would throw the reader out of it.
    if (paused || document.querySelector("#now :focus-visible")) event.preventDefault();
  });
});
