"""What a browser is asked about a page: how it lies, whether it is read, heard and reached.

Each is a function in JavaScript that returns what is wrong, as sentences; nothing is a good page.
"""

from typing import Final

LIES: Final = """() => {
  const found = [];
  const wide = document.documentElement.scrollWidth;
  if (wide > innerWidth) found.push(`the page is ${wide} wide`);
  for (const box of document.querySelectorAll(".scroll"))
    if (box.scrollWidth > box.clientWidth + 1)
      found.push(`${box.getAttribute("aria-label")} is ${box.scrollWidth} of ${box.clientWidth}`);
  return found;
}"""
"""Nothing of it, and no table, is wider than the screen."""

HEARD: Final = """() => {
  const found = [];
  const text = (node) => (node ? node.textContent.trim() : "");
  const named = (node) =>
    node.getAttribute("aria-label") || node.title ||
    (node.getAttribute("aria-labelledby") || "").split(" ").map(
      (id) => text(document.getElementById(id))).join("") ||
    [...(node.labels || [])].map(text).join("");
  const say = (node, what) => found.push(`${what}: ${node.outerHTML.slice(0, 90)}`);
  for (const node of document.querySelectorAll("a[href], button, summary"))
    if (!text(node) && !named(node)) say(node, "without a name");
  for (const node of document.querySelectorAll("input:not([type=hidden]), textarea, meter"))
    if (!named(node)) say(node, "without a label");
  for (const node of document.querySelectorAll("[role=region], [role=img], nav, dl.figures"))
    if (!named(node)) say(node, "without a label");
  for (const node of document.querySelectorAll("section"))
    if (!named(node)) say(node, "without a heading");
  for (const node of document.querySelectorAll("table")) {
    if (!named(node.closest("[role=region]")) && !node.caption) say(node, "without a caption");
    if (node.querySelector("th:not([scope])")) say(node, "with a head of nothing");
    if ([...node.querySelectorAll("thead th")].some((head) => !text(head)))
      say(node, "with a column of no name");
  }
  for (const node of document.querySelectorAll("[aria-labelledby], [aria-describedby]"))
    for (const name of ["aria-labelledby", "aria-describedby"])
      for (const id of (node.getAttribute(name) || "").split(" ").filter(Boolean))
        if (!document.getElementById(id)) say(node, `of ${id}, which is not there`);
  for (const node of document.querySelectorAll("[aria-live]:not([aria-live=polite])"))
    say(node, "interrupts");
  for (const node of document.querySelectorAll("[tabindex]"))
    if (node.tabIndex > 0) say(node, "out of its turn");
  return found;
}"""
"""What can be acted on, tables and drawings have names; nothing interrupts."""

READ: Final = """() => {
  const found = new Set();
  const parts = (colour) => (colour.match(/[\\d.]+/g) || []).map(Number);
  const channel = (part) => {
    const share = part / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  const light = ([red, green, blue]) =>
    0.2126 * channel(red) + 0.7152 * channel(green) + 0.0722 * channel(blue);
  const over = (front, alpha, back) => front.map((part, n) => part * alpha + back[n] * (1 - alpha));
  const ground = (node) => {
    const layers = [];
    for (let at = node; at; at = at.parentElement) {
      const [red, green, blue, alpha = 1] = parts(getComputedStyle(at).backgroundColor);
      if (alpha > 0) layers.push([[red, green, blue], alpha]);
      if (alpha === 1) break;
    }
    return layers.reduceRight((back, [front, alpha]) => over(front, alpha, back), [255, 255, 255]);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !node.checkVisibility()) continue;
    if (node.closest("script, .unseen, .skip, [disabled]")) continue;
    const style = getComputedStyle(node);
    const [red, green, blue, alpha = 1] = parts(node.closest("svg") ? style.fill : style.color);
    let seen = alpha;
    for (let at = node; at; at = at.parentElement) seen *= Number(getComputedStyle(at).opacity);
    const back = ground(node.closest("svg")?.parentElement || node);
    const [dark, bright] = [light(over([red, green, blue], seen, back)), light(back)].sort(
      (one, other) => one - other);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const ratio = (bright + 0.05) / (dark + 0.05);
    if (ratio < (isLarge ? 3 : 4.5))
      found.add(`${ratio.toFixed(2)} of ${walker.currentNode.data.trim().slice(0, 40)}`);
  }
  return [...found];
}"""
"""Every text stands out from what is behind it as WCAG 2.1 (1.4.3) asks."""

REACHABLE: Final = """() => {
  const all = "a[href], button, input:not([type=hidden]), textarea, summary, [tabindex='0']";
  window.controls = [...document.querySelectorAll(all)].filter(
    (each) => each.checkVisibility() && !each.disabled);
  window.reached = [];
  window.unseen = [];
  document.addEventListener("focusin", ({ target }) => {
    const style = getComputedStyle(target);
    reached.push(target);
    if (style.outlineStyle === "none" || style.outlineWidth === "0px") unseen.push(target);
  });
  const dates = controls.filter((each) => each.type === "date");
  return controls.length + 3 * dates.length;
}"""
"""Return how often to press Tab to get through all; from now on note what has the focus.

A field of a date has four turns: day, month, year, and what chooses one.
"""

REACHED: Final = """() => {
  const found = [];
  const told = (node) => node.outerHTML.slice(0, 90);
  const places = reached.map((node) => controls.indexOf(node)).filter((place) => place >= 0);
  controls.forEach((node, place) => {
    if (!places.includes(place)) found.push(`not reached: ${told(node)}`);
  });
  unseen.forEach((node) => found.push(`not seen to have the focus: ${told(node)}`));
  places.slice(0, controls.length).forEach((place, turn) => {
    if (place !== turn) found.push(`turn ${turn} goes to ${told(controls[place])}`);
  });
  return found.slice(0, 5);
}"""
"""After as many turns: each had the focus, in the order in which they stand, for all to see."""
