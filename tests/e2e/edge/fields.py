# SPDX-License-Identifier: Apache-2.0
"""Header fields of whatever has `headers`, a list of names and values: names in any case."""


class Fields:
    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name, default=None):
        """The value of a header that may stand there once at most."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} stands there {len(values)} times: {values}"
        return values[0] if values else default

    def __contains__(self, name):
        return bool(self.all(name))
