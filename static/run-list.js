// The address of the list names what is asked for, and no field that was left empty.
"use strict";

document.addEventListener("formdata", ({ target, formData }) => {
  if (!target.matches("form.filters")) return;
  for (const [name, value] of [...formData]) if (value === "") formData.delete(name);
  if ([...formData].length === 0) formData.set("all", "1");
}, true);
