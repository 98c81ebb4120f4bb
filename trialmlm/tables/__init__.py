"""Tables and listings: numbers as text, a display cut into pages, pages as files."""
