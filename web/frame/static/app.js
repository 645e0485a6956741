// What makes the pages quicker to use. Everything works without it.

// "/" goes to the search; j and k go through the rows of a list.
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, select, textarea, [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") {
    const search = document.querySelector("[data-search]");
    if (search) { event.preventDefault(); search.focus(); search.select(); }
  }
  if (event.key === "j" || event.key === "k") {
    const rows = [...document.querySelectorAll("table.list tbody tr td:first-child a")];
    if (rows.length === 0) return;
    const at = rows.indexOf(document.activeElement);
    const next = event.key === "j" ? Math.min(at + 1, rows.length - 1) : Math.max(at - 1, 0);
    rows[next].focus();
  }
});

// What is wrong with a form is read out first.
document.getElementById("errors")?.focus();

// A part of the page that follows something which goes on. The stream says that
// there is news, never what; the page is asked again for it.
for (const part of document.querySelectorAll("[data-live]")) {
  const stream = new EventSource(part.dataset.live);
  const refresh = async () => {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("[data-live]");
    if (fresh) part.replaceChildren(...fresh.childNodes);
    else document.getElementById("main").replaceChildren(...page.getElementById("main").childNodes);
  };
  let seen = Number(part.dataset.version);
  stream.addEventListener("version", (event) => {
    if (Number(event.lastEventId) === seen) return;
    seen = Number(event.lastEventId);
    refresh();
  });
  stream.addEventListener("end", () => { stream.close(); refresh(); });
}

// A text to take along.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    await navigator.clipboard.writeText(source.value ?? source.textContent);
    button.textContent = button.dataset.done;
  });
}
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
