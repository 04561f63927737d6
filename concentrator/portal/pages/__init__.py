"""The pages, one module a menu entry."""
