"""The one exception of these programs: a cause and a cure for their user."""


class LabError(Exception):
    """Something that ends the run; `str()` is one line with cause and cure."""
