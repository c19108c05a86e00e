"""The console: server-rendered pages for staff. A page reads; every change goes to the same API
that others can call (`service.api`), sent by `web/console/console.js`."""
