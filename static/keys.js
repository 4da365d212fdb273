// Keys, and a palette of what they do: "?" or Ctrl K opens it. One may switch the keys off, for those
// who speak or type into the page by other means (WCAG 2.1.4). Everything they do is a link or a
// button somewhere.
"use strict";

(() => {
  const OFF = "run-studio-keys-off";
  const dialog = () => document.getElementById("keys");
  const rows = () => [...document.querySelectorAll("#keys [data-key]")];
  let before = "";

  function off() {
    try { return localStorage.getItem(OFF) === "1"; } catch { return false; }
  }

  function typing(target) {
    // A dialog that has just been closed keeps the focus until the next frame is drawn.
    if (target.closest("dialog:not([open])")) return false;
    if (/^(checkbox|radio|button|submit)$/.test(target.type)) return false;
    return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
  }

  function follow(row) {
    const found = document.querySelector(row.dataset.does);
    if (!found) return false;
    dialog().close();
    if (found.tagName === "DETAILS") {
      found.open = true;
      found.querySelector("input:not([type=hidden])")?.focus();
    } else if (/^(INPUT|SELECT|TEXTAREA)$/.test(found.tagName)) found.focus();
    else found.click();
    return true;
  }

  function open() {
    document.getElementById("palette").value = "";
    narrow("");
    for (const row of rows()) row.querySelector("button").disabled = !document.querySelector(row.dataset.does);
    dialog().showModal();
    document.getElementById("palette").focus();
  }

  function narrow(text) {
    for (const row of rows()) row.hidden = !row.textContent.toLowerCase().includes(text.trim().toLowerCase());
  }

  document.addEventListener("keydown", (event) => {
    if (!dialog() || event.altKey) return;
    if ((event.ctrlKey || event.metaKey) && event.key === "k") {
      event.preventDefault();
      if (!dialog().open) open();
      return;
    }
    if (event.ctrlKey || event.metaKey || typing(event.target)) return;
    if (event.key === "?" && !dialog().open) {
      event.preventDefault();
      open();
      return;
    }
    if (off() || dialog().open) return;
    const pressed = before === "g" ? `g ${event.key}` : event.key;
    before = event.key;
    const row = rows().find((one) => one.dataset.key === pressed);
    if (row && follow(row)) {
      event.preventDefault();
      before = "";
    }
  });

  document.addEventListener("DOMContentLoaded", () => {
    const box = document.getElementById("keys-on");
    if (!box) return;
    box.checked = !off();
    box.addEventListener("change", () => {
      try { localStorage.setItem(OFF, box.checked ? "0" : "1"); } catch { /* not kept, then */ }
    });
    document.getElementById("keys-close").addEventListener("click", () => dialog().close());
    document.getElementById("keys-open").addEventListener("click", open);
    document.getElementById("palette").addEventListener("input", (event) => narrow(event.target.value));
    for (const row of rows()) row.querySelector("button").addEventListener("click", () => follow(row));
    // The first command that is left; where none is, the text is taken for a run's id, and sent.
    document.getElementById("palette-form").addEventListener("submit", (event) => {
      const row = rows().find((one) => !one.hidden && !one.querySelector("button").disabled);
      if (row && document.getElementById("palette").value.trim()) {
        event.preventDefault();
        follow(row);
      }
    });
  });
})();
