// What pages do besides, where there is script: an id is copied, a moment is told by how long ago it
// was, a page that updates is paused, and what a page has begun is followed. Without this they are whole.
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

const COPIED_MS = 2000;
const WHOLE = 32;
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

function offerCopy(code) {
  const { copy, copied } = document.getElementById("content").dataset;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet copy";
  button.setAttribute("aria-live", "polite");
  const say = (word) => {
    button.textContent = word;
    button.setAttribute("aria-label", `${word}: ${code.textContent.slice(0, 12)}…`);
  };
  say(copy);
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(code.textContent);
    say(copied);
    setTimeout(() => say(copy), COPIED_MS);
  });
  code.after(" ", button);
}

function tellAge(time) {
  // Where dates were let pass the ledger is ahead of the reader: no block is of the future.
  const now = Math.max(Date.now(), Number(document.getElementById("content").dataset.ledgerMs));
  const seconds = (Date.parse(time.dateTime) - now) / 1000;
  const [unit, length] = UNITS.find(([, each]) => Math.abs(seconds) >= each) || UNITS.at(-1);
  const age = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" });
  const told = document.createElement("span");
  told.className = "unit age";
  told.textContent = `(${age.format(Math.round(seconds / length), unit)})`;
  time.after(" ", told);
}

document.addEventListener("DOMContentLoaded", () => {
  // Browsers give the clipboard to pages that came over TLS or from this machine.
  if (navigator.clipboard)
    [...document.querySelectorAll(".facts code")]
      .filter((code) => code.textContent.length >= WHOLE)
      .forEach(offerCopy);
  document.querySelectorAll(".facts time[datetime*=T]").forEach(tellAge);
});
