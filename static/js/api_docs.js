// Shows the API's description, with everything loaded from here. Keys typed in are forgotten with the page.
const place = document.getElementById("api");
window.SwaggerUIBundle({
  domNode: place,
  url: place.dataset.document,
  deepLinking: true,
  validatorUrl: null,
  persistAuthorization: false,
});
