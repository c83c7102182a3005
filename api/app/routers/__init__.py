"""The doors: one folder a wire protocol. Routers speak; every rule is in `app.services`."""
