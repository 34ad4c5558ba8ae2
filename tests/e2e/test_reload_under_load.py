# SPDX-License-Identifier: Apache-2.0
"""Two hundred reloads under load: not one failed request."""
import threading

from edge import Reply, wait_until

RELOADS, CLIENTS = 200, 8


def test_no_request_fails(start, origin):
    origin.default = Reply("x" * 2000, cache_control="max-age=600")
    gateway = start(origin, workers=2, log={"access": "off"}, limiters={
        "limiters": [{"name": "many", "limit": 1_000_000, "window_ms": 60000, "store": "durable_object", "key": "${ip}"}],
        "routes": [{"path": "/limited", "limiter": "many"}]})
    stop, counts, failures = threading.Event(), [0] * CLIENTS, []

    def keep_asking(number):
        paths = ("/a.css", "/page", "/limited", f"/{number}.css")
        try:
            while not stop.is_set():
                with gateway.client() as client:  # kept for a while, then a new one: both must work
                    for turn in range(40):
                        response = client.request("GET", paths[turn % 4]).read()
                        if (response.status, response.length) != (200, 2000):
                            failures.append(response)
                        counts[number] += 1
        except Exception as error:  # pylint: disable=broad-except
            failures.append(error)

    threads = [threading.Thread(target=keep_asking, args=(n,), daemon=True) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for _ in range(RELOADS):
        before = sum(counts)
        gateway.hang_up()
        wait_until(lambda: failures or sum(counts) > before + 5, "some requests between two reloads")
    stop.set()
    for thread in threads:
        thread.join(30)
    assert not failures, (len(failures), failures[:3])
    assert sum(counts) > RELOADS * 5
    assert gateway.metric("nearedge_config_last_reload_successful") == 1
