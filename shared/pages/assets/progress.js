// Refreshes the live part without reloading the page, so that a screen reader announces only the changes.
"use strict";
// What the live part shows, without the changes that the visitor made to it, such as an opened form.
let shown = document.getElementById("live")?.innerHTML;
const refresh = async () => {
  const current = document.getElementById("live");
  if (!current || !current.dataset.refresh) return;
  try {
    const response = await fetch(location.href, { headers: { accept: "text/html" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const next = page.getElementById("live");
    if (!next) return location.reload();
    if (page.title !== document.title) document.title = page.title;
    if (next.innerHTML !== shown) {
      const open = [...current.querySelectorAll("details[open]")].map((details) => details.id);
      shown = current.innerHTML = next.innerHTML;
      open.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
    }
    if (next.dataset.refresh) current.dataset.refresh = next.dataset.refresh;
    else delete current.dataset.refresh;
  } catch {
    // The site is unreachable; the next refresh tries again.
  }
  setTimeout(refresh, 1000 * Number(current.dataset.refresh || 2));
};
setTimeout(refresh, 1000);
