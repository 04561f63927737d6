"""Device profiles: tables of data in, requests and readings out. Pure: a file's text is the only thing read."""
