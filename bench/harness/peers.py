# SPDX-License-Identifier: Apache-2.0
"""The servers: how each is configured for a workload and started in the foreground.

Every configuration is what someone who knows that server would write for speed: one worker, no access log,
connections kept alive on both sides, the object in memory (or in the page cache, where it goes out by sendfile)."""
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
HOST = "bench.test"
REFUSAL = '{"error":"Rate limit exceeded","retryAfter":60}'
VARNISH_RECORDS = ("SessOpen", "SessClose", "Begin", "Link", "End", "ReqStart", "ReqMethod", "ReqURL", "ReqProtocol",
                   "ReqHeader", "ReqUnset", "RespProtocol", "RespStatus", "RespReason", "RespHeader", "RespUnset",
                   "VCL_call", "VCL_return", "VCL_use", "Hit", "Timestamp", "ReqAcct", "Filters",
                   "HitPass", "BackendOpen", "BackendReuse", "BackendClose", "BackendStart", "BereqMethod", "BereqURL",
                   "BereqProtocol", "BereqHeader", "BereqUnset", "BerespProtocol", "BerespStatus", "BerespReason",
                   "BerespHeader", "BereqAcct", "TTL", "Fetch_Body", "Length", "Storage")


@dataclass(frozen=True)
class Setup:
    """One server for one workload: where it may write, where it listens, whom it asks."""
    binary: str
    directory: Path
    port: int
    origin_port: int
    workload: object
    redis: object = None        # path of its socket, for a server that needs one

    def write(self, name, text):
        path = self.directory / name
        path.write_text(text)
        return str(path)


def certificate(s):
    """(certificate, key, both) of a fresh P-256 pair: the same kind for every server."""
    pem, key, both = (str(s.directory / name) for name in ("site.pem", "site.key", "site.both"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                    "30", "-subj", f"/CN={HOST}", "-keyout", key, "-out", pem], check=True, capture_output=True)
    Path(both).write_text(Path(pem).read_text() + Path(key).read_text())
    return pem, key, both


def nginx(s, log="off"):
    as_root = "user root;" if os.geteuid() == 0 else ""
    proxy = ('proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";'
             " proxy_set_header Host $host;")
    cache = " proxy_cache objects; proxy_cache_valid 200 1d; proxy_force_ranges on;"
    refuse = f"""
        limit_req zone=visitors; limit_req_status 429; limit_req_log_level info;
        error_page 429 @refused; {proxy}"""
    ssl, tls = "", ""
    if s.workload.tls:
        pem, key, _ = certificate(s)
        ssl = " ssl"
        tls = (f"ssl_certificate {pem}; ssl_certificate_key {key}; ssl_protocols TLSv1.3;"
               " ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256; ssl_prefer_server_ciphers on;")
    location = {"hit": proxy + cache, "miss": proxy + cache, "pass": proxy, "refuse": refuse}[s.workload.kind]
    return [s.binary, "-p", str(s.directory), "-e", "stderr", "-c", s.write("nginx.conf", f"""
daemon off; worker_processes {s.workload.workers}; {as_root} pid {s.directory}/nginx.pid; error_log stderr crit;
worker_rlimit_nofile 65536;
events {{ worker_connections 12000; }}
http {{
    access_log {log}; sendfile on; tcp_nodelay on; server_tokens off;
    keepalive_timeout 300s; keepalive_requests 1000000000;
    open_file_cache max=20000 inactive=1h; open_file_cache_valid 1h;
    proxy_cache_path {s.directory}/cache keys_zone=objects:8m inactive=1d max_size=256m;
    client_body_buffer_size 128k;
    proxy_temp_path {s.directory}/t1; client_body_temp_path {s.directory}/t2; fastcgi_temp_path {s.directory}/t3;
    uwsgi_temp_path {s.directory}/t4; scgi_temp_path {s.directory}/t5;
    limit_req_zone $binary_remote_addr zone=visitors:8m rate=1r/m;
    upstream origin {{ server 127.0.0.1:{s.origin_port}; keepalive 256; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{s.port}{ssl} backlog=4096; {tls}
        location / {{ {location} }}
        location @refused {{
            internal; default_type application/json; add_header Retry-After 60 always;
            return 429 '{REFUSAL}';
        }}
    }}
}}
""")]


def nginx_log(s):
    return nginx(s, f"{s.directory}/access.log combined buffer=64k flush=1s")


def haproxy(s):
    caching = "http-request cache-use bench\n    http-response cache-store bench"
    lines = {
        "hit": caching,
        "miss": caching,
        "pass": "",
        "refuse": "http-request track-sc0 src table limiter\n"
                  "    http-request return status 429 content-type application/json"
                  f" string '{REFUSAL}' hdr Retry-After 60 if {{ sc_http_req_rate(0) gt 1 }}",
    }[s.workload.kind]
    tls = f" ssl crt {certificate(s)[2]} ciphersuites TLS_AES_128_GCM_SHA256" if s.workload.tls else ""
    if s.workload.status == 304:  # HAProxy's 304 says a Content-Length, and wrk would wait for as many bytes
        lines += "\n    http-after-response del-header content-length if { status 304 }"
    return [s.binary, "-db", "-q", "-f", s.write("haproxy.cfg", f"""
global
    nbthread {s.workload.workers}
    no strict-limits
    maxconn 12000
defaults
    mode http
    option http-keep-alive
    http-reuse always
    timeout connect 5s
    timeout client 300s
    timeout server 300s
cache bench
    total-max-size 128
    max-object-size 1000000
    max-age 86400
backend limiter
    stick-table type ip size 100k expire 1h store http_req_rate(1h)
frontend edge
    bind 127.0.0.1:{s.port} backlog 4096{tls}
    {lines}
    default_backend origin
backend origin
    server origin 127.0.0.1:{s.origin_port} pool-max-conn 256
""")]


def varnish(s):
    passing = "sub vcl_recv { return (pass); }" if s.workload.kind == "pass" else ""
    vcl = s.write("bench.vcl", f"""vcl 4.1;
backend origin {{ .host = "127.0.0.1"; .port = "{s.origin_port}"; }}
{passing}
""")
    # Other servers' logs are off, so the records of Varnish's shared memory log are masked too.
    mask = ",".join(f"-{tag}" for tag in VARNISH_RECORDS)
    return [s.binary, "-F", "-j", "none", "-n", str(s.directory / "work"), "-f", vcl,
            "-a", f"127.0.0.1:{s.port}", "-s", "malloc,256m", "-T", "none",
            "-p", "thread_pools=1", "-p", "thread_pool_min=400", "-p", "timeout_idle=300", "-p", "listen_depth=4096",
            "-p", f"vsl_mask={mask}", *(["-p", "feature=+http2"] if s.workload.h2 else [])]


def h2o(s):
    """It has no cache: a file, whose descriptor it keeps, is what it is fastest at."""
    root = s.directory / "files" / Path(s.workload.path).relative_to("/").parent
    root.mkdir(parents=True)
    (root / Path(s.workload.path).name).write_text("x" * s.workload.body)
    as_root = "user: root" if os.geteuid() == 0 else ""
    return [s.binary, "-m", "worker", "-c", s.write("h2o.conf", f"""
{as_root}
num-threads: {s.workload.workers}
max-connections: 12000
http2-idle-timeout: 300
listen:
  host: 127.0.0.1
  port: {s.port}
hosts:
  default:
    paths:
      /:
        file.dir: {s.directory}/files
""")]


def traffic_server(s):
    """From a folder of its own: the package's programs, none of its services and none of its files in /etc."""
    for name in ("etc", "run", "log", "cache"):
        (s.directory / name).mkdir()
    places = {"prefix": "/usr", "exec_prefix": "/usr", "bindir": "/usr/bin", "sbindir": "/usr/sbin", "includedir": "/usr/include",
              "datadir": "/usr/share/trafficserver", "libdir": "/usr/lib/trafficserver",
              "libexecdir": "/usr/lib/trafficserver/modules", "sysconfdir": s.directory / "etc",
              "localstatedir": s.directory / "run", "runtimedir": s.directory / "run", "logdir": s.directory / "log",
              "cachedir": s.directory / "cache"}
    settings = {
        "http.server_ports": f"STRING {s.port}:ip-in=127.0.0.1", "admin.user_id": "STRING #-1",
        "exec_thread.autoconfig": "INT 0", "exec_thread.limit": f"INT {s.workload.workers}", "task_threads": "INT 1",
        "log.logging_enabled": "INT 0", "http.insert_response_via_str": "INT 0", "http.insert_request_via_str": "INT 0",
        "http.cache.http": f"INT {0 if s.workload.kind == 'pass' else 1}", "cache.ram_cache.size": "INT 268435456",
        "http.keep_alive_no_activity_timeout_in": "INT 300", "http.transaction_no_activity_timeout_in": "INT 300",
        "http.keep_alive_no_activity_timeout_out": "INT 300", "net.connections_throttle": "INT 16000",
        "crash_log_helper": "STRING NULL"}
    if s.workload.tls:
        pem, key, _ = certificate(s)
        s.write("etc/ssl_multicert.config", f"dest_ip=* ssl_cert_name={pem} ssl_key_name={key}\n")
        settings |= {"http.server_ports": f"STRING {s.port}:ssl:ip-in=127.0.0.1", "ssl.TLSv1_2": "INT 0",
                     "ssl.server.TLSv1_3.cipher_suites": "STRING TLS_AES_128_GCM_SHA256"}
    s.write("etc/records.config", "".join(f"CONFIG proxy.config.{name} {value}\n" for name, value in settings.items()))
    s.write("etc/storage.config", f"{s.directory}/cache 512M\n")
    s.write("etc/remap.config", f"map / http://127.0.0.1:{s.origin_port}/\n")
    s.write("etc/ip_allow.yaml", "ip_allow:\n  - apply: in\n    ip_addrs: 127.0.0.1\n    action: allow\n    methods: ALL\n")
    root = s.write("runroot.yaml", "".join(f"{name}: {place}\n" for name, place in places.items()))
    return [s.binary, f"--run-root={root}"]


def nearedge(s, rulesets=(), plan="free", log="off", limit=None, key="${ip}"):
    zone = {"name": HOST, "id": "0" * 32, "plan": plan, "hosts": ["*"],
            "origin": f"http://127.0.0.1:{s.origin_port}"}
    if rulesets:
        zone["rulesets"] = [str(r) for r in rulesets]
    if s.workload.kind == "refuse":
        limit = 1
    if limit:
        zone["limiters"] = s.write("limiters.json", json.dumps({
            "limiters": [{"name": "bench", "limit": limit, "window_ms": 3600000, "store": "durable_object",
                          "key": key, "mode": "enforce"}],
            "routes": [{"path": "/*", "limiter": "bench"}]}))
    config = {"listen": [{"address": f"127.0.0.1:{s.port}", "edge": "FRA", "h2c": s.workload.h2}],
              "admin": {"address": "127.0.0.1:0"},
              "workers": s.workload.workers, "edges": [{"name": "FRA", "country": "DE", "isolates": 1}], "zones": [zone],
              "log": {"access": log, "level": "error"}}
    if s.redis:
        config["limiter"] = {"backend": f"redis+unix://{s.redis}?db=0"}
    if s.workload.tls:
        config["listen"][0]["tls"] = dict(zip(("certificate", "key"), certificate(s)))
    return [s.binary, "run", "-c", s.write("nearedge.json", json.dumps(config, indent=2))]


def nearedge_rules_6(s):
    return nearedge(s, [HERE / "rules-6.json"])


def nearedge_rules_300(s):
    """As many as a zone may have: areas of a site, each with a TTL of its own; the last matches what is asked for."""
    def rule(number, expression):
        return {"description": f"Area {number}", "enabled": True, "action": "set_cache_settings", "expression": expression,
                "action_parameters": {"cache": True, "edge_ttl": {"mode": "override_origin", "default": 3600 + number}}}

    rules = [rule(n, f'(http.host eq "{HOST}") and starts_with(http.request.uri.path, "/area-{n}/")') for n in range(299)]
    rules.append(rule(299, f'(http.host eq "{HOST}") and starts_with(http.request.uri.path, "/bench/")'))
    path = s.write("rules-300.json", json.dumps({"description": "Three hundred rules", "kind": "zone",
                                                 "phase": "http_request_cache_settings", "rules": rules}))
    return nearedge(s, [path], plan="enterprise")


def nearedge_log(s):
    return nearedge(s, log=str(s.directory / "access.log"))


def nearedge_redis(s):
    """A key for each visitor: calls for one key that come together are one call."""
    return nearedge(s, limit=1_000_000_000, key="${header:X-Visitor}")


def floor(s):
    return [s.binary, "--port", str(s.port), "--status", str(s.workload.status), "--body", str(s.workload.body)]


@dataclass(frozen=True)
class Peer:
    name: str
    program: str            # a command, or a program of our own build directory
    command: object         # Setup -> argv
    version: tuple = ()     # arguments that print the version
    ours: bool = False
    hit_header: str = ""    # what a cached answer carries, as a pattern for "Name: value"
    h2_only: bool = False   # measured for HTTP/2 only
    variant: bool = False   # measured only where a workload names it
    needs_redis: bool = False

    def binary(self, build):
        if self.ours:
            path = build / self.program
            return str(path) if path.is_file() else None
        return shutil.which(self.program, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")

    def describe(self, build):
        if not self.version:
            return "-"
        ran = subprocess.run([self.binary(build), *self.version], capture_output=True, text=True, timeout=20)
        found = re.search(r"\d+\.\d+[\w.+~-]*", ran.stdout + ran.stderr)
        return found.group(0) if found else "unknown"


PEERS = {p.name: p for p in [
    Peer("nearedge", "nearedge", nearedge, ("version",), ours=True, hit_header="CF-Cache-Status: HIT"),
    *[Peer(f"nearedge-{name}", "nearedge", command, ("version",), ours=True, hit_header="CF-Cache-Status: HIT", variant=True,
           needs_redis=name == "redis")
      for name, command in (("rules-6", nearedge_rules_6), ("rules-300", nearedge_rules_300), ("log", nearedge_log),
                            ("redis", nearedge_redis))],
    Peer("nginx", "nginx", nginx, ("-v",)),
    Peer("nginx-log", "nginx", nginx_log, ("-v",), variant=True),
    Peer("haproxy", "haproxy", haproxy, ("-v",), hit_header=r"Age: \d+"),
    Peer("varnish", "varnishd", varnish, ("-V",), hit_header=r"Age: \d+"),
    Peer("trafficserver", "traffic_server", traffic_server, ("-V",), hit_header=r"Age: \d+"),
    Peer("h2o", "h2o", h2o, ("--version",), h2_only=True),
    Peer("floor", "bench_floor", floor, ours=True),
]}
OTHERS = ("nginx", "haproxy", "varnish", "trafficserver", "h2o")  # the ones "best peer" is chosen from
