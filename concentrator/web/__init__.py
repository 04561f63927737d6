"""HTTP without domain: sites and who may enter them, pages, static files, live streams."""
