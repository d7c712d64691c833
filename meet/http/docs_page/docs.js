// Shows one of the served documents; a chooser appears when there are several.
"use strict";

const host = document.getElementById("docs");
const names = host.dataset.documents.split(" ").filter(Boolean);

function show(name) {
  window.SwaggerUIBundle({
    url: `${host.dataset.mount}/api/v1/openapi.json?document=${encodeURIComponent(name)}`,
    domNode: host,
    deepLinking: true,
    persistAuthorization: false,
    validatorUrl: null,
  });
}

if (names.length > 1) {
  const bar = document.createElement("label");
  bar.className = "documents";
  bar.textContent = "API description";
  const chooser = document.createElement("select");
  for (const name of names) chooser.add(new Option(name, name));
  chooser.addEventListener("change", () => show(chooser.value));
  bar.append(chooser);
  host.before(bar);
}
show(names[0]);
