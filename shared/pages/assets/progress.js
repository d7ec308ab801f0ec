// Renews what is in progress without loading the page anew, so that a screen reader hears only what changed.
"use strict";
const renew = async () => {
  const current = document.getElementById("live");
  if (!current || !current.dataset.refresh) return;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const next = page.getElementById("live");
    if (!next) return location.reload();
    if (page.title !== document.title) document.title = page.title;
    if (next.innerHTML !== current.innerHTML) current.innerHTML = next.innerHTML;
    if (next.dataset.refresh) current.dataset.refresh = next.dataset.refresh;
    else delete current.dataset.refresh;
  } catch {
    // Out of reach for a moment: the next round tries again.
  }
  setTimeout(renew, 1000 * Number(current.dataset.refresh || 2));
};
setTimeout(renew, 1000);
