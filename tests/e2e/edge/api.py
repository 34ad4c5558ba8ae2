# SPDX-License-Identifier: Apache-2.0
"""Cloudflare's API on a gateway's admin listener, as a test asks it."""
import json

ZONE_ID = "0123456789abcdef0123456789abcdef"  # of make_config
CACHE_PHASE = "http_request_cache_settings"
ENTRYPOINT = f"/rulesets/phases/{CACHE_PHASE}/entrypoint"


def rule(expression="true", **more):
    """A cache rule; `cache` is its one parameter unless action_parameters are given."""
    parameters = {"cache": more.pop("cache", True)}
    return {"action": "set_cache_settings", "action_parameters": parameters, "expression": expression, **more}


class Api:
    """Paths are below the zone unless they begin with /client."""

    def __init__(self, gateway, token=None, zone=ZONE_ID):
        self.gateway, self.zone = gateway, zone
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def call(self, method, path, body=None, status=200, headers=None):
        """The whole answer; it is an envelope, or empty with 204."""
        full = path if path.startswith("/client") else f"/client/v4/zones/{self.zone}{path}"
        response = self.gateway.api(full, method, body, headers=self.headers if headers is None else headers)
        assert response.status == status, response
        assert response.get("Cache-Control") == "no-store"
        if status == 204:
            assert response.body == b"" and response.get("Content-Length") is None
            return None
        assert response.get("Content-Type").startswith("application/json")
        answer = json.loads(response.body)
        assert list(answer)[:4] == ["result", "success", "errors", "messages"]
        assert answer["success"] is (status < 400) and bool(answer["errors"]) is (status >= 400)
        answer["headers"] = dict(response.headers)
        return answer

    def get(self, path):
        return self.call("GET", path)["result"]

    def put(self, path, body):
        return self.call("PUT", path, body)["result"]

    def post(self, path, body):
        return self.call("POST", path, body)["result"]

    def patch(self, path, body):
        return self.call("PATCH", path, body)["result"]

    def delete(self, path, status=204):
        answer = self.call("DELETE", path, status=status)
        return answer and answer["result"]

    def refused(self, method, path, body=None, status=400):
        """(code, message, pointer) of the first error."""
        error = self.call(method, path, body, status)["errors"][0]
        return error.get("code"), error["message"], error.get("source", {}).get("pointer")
