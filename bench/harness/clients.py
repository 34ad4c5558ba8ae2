# SPDX-License-Identifier: Apache-2.0
"""The clients: one careful request in Python, wrk and h2load for load. All answer with the same figures."""
import http.client
import re
import ssl
import subprocess
import tempfile
import time

from harness.peers import HOST
from harness.process import Failed, cores

CONNECTIONS = 64
H2_STREAMS = 10


def careless_context():
    """Every server makes its own certificate: nobody vouches for it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def get(port, path, headers=None, tls=False, method="GET", body=None):
    connection = (http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=careless_context()) if tls
                  else http.client.HTTPConnection("127.0.0.1", port, timeout=10))
    try:
        connection.request(method, path, body, {"Host": HOST, **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def script(workload, serial):
    """What wrk cannot do without being told: a body, or another path or visitor for every request."""
    lines = [f'wrk.method = "{workload.method}"', f'wrk.body = string.rep("x", {workload.request_body})'
             if workload.request_body else "", "local n = 0"]
    path = "nil"
    if workload.paths:
        path = f'"/bench/o" .. n % {workload.paths} .. ".js"'
    elif workload.fresh_paths:
        path = f'"/bench/n{serial}-" .. n .. ".js"'
    elif not workload.visitors:
        return "\n".join(lines)
    visitor = f'  wrk.headers["X-Visitor"] = n % {workload.visitors}' if workload.visitors else ""
    return "\n".join([*lines, "request = function()", "  n = n + 1", visitor, f"  return wrk.format(nil, {path})", "end"])


def microseconds(text):
    value, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(value) * {"us": 1, "ms": 1e3, "s": 1e6, "m": 6e7}[unit]


serials = iter(range(1 << 62))


def run_wrk(port, workload, seconds):
    """wrk takes whole seconds: a shorter run is ended early, which it reports as usual."""
    whole = max(1, round(seconds))
    argv = ["taskset", "-c", str(cores()[1]), "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{whole}s", "--latency",
            "-H", f"Host: {HOST}"]
    for name, value in workload.headers.items():
        argv += ["-H", f"{name}: {value}"]
    scheme = "https" if workload.tls else "http"
    with tempfile.NamedTemporaryFile("w", prefix="nearedge-wrk-", suffix=".lua") as file:
        if workload.needs_script:
            file.write(script(workload, next(serials)))
            file.flush()
            argv += ["-s", file.name]
        child = subprocess.Popen([*argv, f"{scheme}://127.0.0.1:{port}{workload.path}"], stdout=subprocess.PIPE, text=True)
        if seconds < 1:
            time.sleep(seconds)
            child.send_signal(2)
        text = child.communicate(timeout=whole + 30)[0]
    total = re.search(r"(\d+) requests in ([\d.]+)(ms|s)", text)
    if child.returncode or not total or total[1] == "0":
        raise Failed(f"wrk got no answer it understands on port {port}:\n{text}")
    latency = {p: microseconds(re.search(rf"^\s+{p}%\s+(\S+) *$", text, re.M).group(1)) for p in (50, 99)}
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    errors = re.search(r"Socket errors: (.*)", text)
    return {"requests": int(total[1]), "seconds": float(total[2]) / (1000 if total[3] == "ms" else 1),
            "p50_us": latency[50], "p99_us": latency[99], "refused": int(refused[1]) if refused else 0,
            "errors": errors[1] if errors else None}


def run_h2load(port, workload, seconds, per_second=None):
    """Its log has a line for each answer: when, status, microseconds. `per_second`: at that pace, all connections together."""
    whole = max(1, round(seconds))
    how = [f"-m{H2_STREAMS}"] if workload.h2 else ["--h1"]
    if per_second:
        how.append(f"--rps={per_second / CONNECTIONS:.3f}")
    with tempfile.NamedTemporaryFile("r", prefix="nearedge-h2load-") as log:
        ran = subprocess.run(["taskset", "-c", str(cores()[1]), "h2load", "-t1", f"-c{CONNECTIONS}", *how,
                              f"-D{whole}", f"--log-file={log.name}", "-H", f":authority: {HOST}",
                              f"http://127.0.0.1:{port}{workload.path}"], capture_output=True, text=True,
                             timeout=whole + 30)
        answers = [line.split("\t") for line in log]
    total = re.search(r"requests: .* (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored", ran.stdout)
    if ran.returncode or not total or not answers:
        raise Failed(f"h2load got no answer on port {port}:\n{ran.stdout}{ran.stderr}")
    times = sorted(int(answer[2]) for answer in answers)
    wrong = sum(int(answer[1]) != workload.status for answer in answers)
    return {"requests": len(answers), "seconds": whole, "p50_us": times[len(times) // 2],
            "p99_us": times[len(times) * 99 // 100], "refused": wrong,
            "errors": f"{total[4]} errored" if int(total[4]) else None}
