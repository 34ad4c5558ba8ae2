# SPDX-License-Identifier: Apache-2.0
"""RFC 9111 (with RFC 9110 sections 13 to 15, RFC 9213 and RFC 5861) as a table, where everything is cached
(`cache: true`, `respect_origin`) and the origin's word is respected: what may be stored, for how long, what a
304 changes, what conditions and ranges select, what an unsafe method takes away.

One gateway for all: each case has a path of its own, and the virtual clock only goes forward. Where Cloudflare's
documents differ from the RFC they win; such cases say so in their names: `cloudflare: …`."""
from dataclasses import dataclass, field
from email.utils import formatdate
from time import gmtime, strftime

import pytest
from edge import Reply, Truncated, wait_until

PAST = "Wed, 21 Oct 2015 07:28:00 GMT"
LATE = "Thu, 22 Oct 2015 07:28:00 GMT"
DEFAULT_TTL = 7200
BODY = b"0123456789"
AUTH = {"Authorization": "Basic eA=="}


@dataclass
class Ask:
    """One request `after` seconds behind the one before it. `status` is the CF-Cache-Status, `code` the HTTP status;
    `has` holds response headers (None: absent), `sent` what the origin must have seen of this request."""
    status: str
    after: float = 0
    method: str = "GET"
    headers: object = ()
    code: int = None
    has: dict = field(default_factory=dict)
    sent: dict = None
    body: bytes = None
    now: object = None  # from here on the origin answers with this
    path: str = ""  # behind the case's own
    settled: int = 0  # first wait until the origin has been asked that often


@dataclass
class Origin:
    """What the origin answers; `valid`: a conditional request gets a 304 with these headers."""
    headers: dict = field(default_factory=dict)
    code: int = 200
    body: bytes = BODY
    valid: object = None
    chunked: bool = False
    trailers: list = field(default_factory=list)
    length: int = None


CASES = {}


def case(name, origin, *asks):
    assert name not in CASES, name
    CASES[name] = (origin if isinstance(origin, Origin) else Origin(origin), asks)


def cc(value, **other):
    return {"Cache-Control": value, **{name.replace("_", "-"): text for name, text in other.items()}}


def within(seconds, form="%a, %d %b %Y %H:%M:%S GMT"):
    """A date relative to the gateway's clock when the case begins."""
    return lambda now: strftime(form, gmtime(now + seconds))


def lives(seconds):
    """Stored, fresh to its last second, then fetched again."""
    return Ask("MISS"), Ask("HIT", after=seconds, has={"Age": str(seconds)}), Ask("EXPIRED", after=2)


def stale_at_once():
    return Ask("MISS"), Ask("EXPIRED")


def never():
    return Ask("BYPASS"), Ask("BYPASS")


def reused():
    return Ask("MISS"), Ask("HIT")


# -- section 4.2: freshness from Cache-Control

for text, seconds in {
    "max-age=60": 60, "MAX-AGE=60": 60, "Max-Age=60": 60, 'max-age="60"': 60, "max-age=0060": 60, "max-age= 60": 60,
    " ,, max-age=60 ,": 60, "public,max-age=60": 60, "foo=bar, max-age=60": 60, 'foo="a, max-age=9", max-age=60': 60,
    "foo, bar, max-age=60, baz": 60, "max-age=60.9": 60, "max-age=60, s-maxage=90": 90, "s-maxage=90, max-age=60": 90,
    "S-MAXAGE=90": 90, 's-maxage="90"': 90, "xmax-age=9, max-age=60": 60, "max-age=9, max-age=60": 60,
    "max-age=60;foo": 60, "\tmax-age=60\t": 60,
}.items():
    case(f"4.2.1 lifetime of {text!r}", cc(text), *lives(seconds))

for text in ("max-age=abc", "max-age=-60", "max-age", "max-age=", "max-age='60'", "max-age=60s", "max-age 60", "s-maxage=x, max-age=60"):
    case(f"4.2.1 unreadable {text!r} counts as absent", cc(text), Ask("MISS"), Ask("HIT", after=DEFAULT_TTL),
         Ask("EXPIRED", after=2))

for digits in ("2147483647", "2147483648", "4294967295", "9223372036854775808", "99999999999999999999999999"):
    case(f"1.3 delta-seconds {digits} overflow to much and not to little", cc(f"max-age={digits}"), Ask("MISS"),
         Ask("HIT", after=5 * 86400))

case("5.2.2 directives over several lines", {"Cache-Control": ["public", "max-age=60", "foo"]}, *lives(60))
case("5.2.2 a no-store on the second line", {"Cache-Control": ["max-age=60", "no-store"]}, *never())
case("5.2.2 an empty Cache-Control", cc(""), Ask("MISS"), Ask("HIT", after=DEFAULT_TTL))
case("5.2.2 a directive inside another's quotes", cc('foo="no-store, private", max-age=60'), *lives(60))
case("5.2.2 an open quote", cc('max-age=60, foo="bar'), *lives(60))
case("5.2.2.1 max-age=0", cc("max-age=0"), *stale_at_once())
case("5.2.2.10 s-maxage=0 beats max-age", cc("max-age=60, s-maxage=0"), *stale_at_once())

# -- section 5.3: Expires

case("5.3 Expires", {"Expires": within(60)}, Ask("MISS"), Ask("HIT", after=58), Ask("EXPIRED", after=3))
case("5.3 Expires of RFC 850", {"Expires": within(60, "%A, %d-%b-%y %H:%M:%S GMT")}, Ask("MISS"), Ask("HIT", after=58),
     Ask("EXPIRED", after=3))
case("5.3 Expires of asctime", {"Expires": within(60, "%a %b %e %H:%M:%S %Y")}, Ask("MISS"), Ask("HIT", after=58),
     Ask("EXPIRED", after=3))
case("4.2 a date is read whatever its case", {"Expires": lambda now: formatdate(now + 60, usegmt=True).lower()},
     Ask("MISS"), Ask("HIT", after=58), Ask("EXPIRED", after=3))
for text in (PAST, "0", "-1", "foo", "Thu, 99 Aug 2050 02:01:18 GMT", "Thu, 18 Aug 2050 25:01:18 GMT",
             "Thu, 18 Aug 2050 02:01:18 UTC", "Thu, 18 Aug 2050 02:01:18", "Thu, 18 Aug 2050 02:01:18 +0100",
             "2050-08-18T02:01:18Z", "Thu, 30 Feb 2050 02:01:18 GMT", ""):
    case(f"5.3 Expires {text!r} is stale", {"Expires": text}, *stale_at_once())
case("5.3 max-age beats an old Expires", cc("max-age=60", Expires=PAST), *lives(60))
case("5.3 s-maxage beats an old Expires", cc("s-maxage=60", Expires="0"), *lives(60))
case("5.3 max-age=0 beats a late Expires", cc("max-age=0", Expires=within(60)), *stale_at_once())
case("5.3 a far Expires", {"Expires": "Thu, 18 Aug 2950 02:01:18 GMT"}, Ask("MISS"), Ask("HIT", after=40 * 86400))
case("cloudflare: several Expires lines are no Expires", {"Expires": [within(60), within(90)]}, Ask("MISS"), Ask("HIT", after=100))

# -- sections 4.2.3, 5.1: Age

case("5.1 Age only of what comes from the cache", cc("max-age=60"), Ask("MISS", has={"Age": None}),
     Ask("HIT", has={"Age": "0"}), Ask("HIT", after=7, has={"Age": "7"}))
case("5.1 one Age, the origin's and ours together", cc("max-age=600", Age="20"), Ask("MISS"), Ask("HIT", after=5, has={"Age": "25"}))
case("4.2.3 origin's Age uses up the lifetime", cc("max-age=60", Age="50"), Ask("MISS"), Ask("HIT", after=9, has={"Age": "59"}), Ask("EXPIRED", after=2))
case("4.2.3 older than its lifetime", cc("max-age=60", Age="61"), Ask("MISS"), Ask("EXPIRED"))
case("5.1 the first of several Ages", cc("max-age=60", Age="10, 50"), Ask("MISS"), Ask("HIT", after=30, has={"Age": "40"}))
case("5.1 an Age that is no number", cc("max-age=60", Age="old"), *lives(60))
for text in ("-1", "abc", "99999999999999999999", ""):
    case(f"5.1 an Age of {text!r} does no harm", cc("max-age=60", Age=text), Ask("MISS"), Ask("HIT", after=5, has={"Age": "5"}))
case("4.3.4 Age restarts when confirmed", Origin(cc("max-age=60", ETag='"a"'), valid=cc("max-age=60")), Ask("MISS"),
     Ask("REVALIDATED", after=61), Ask("HIT", after=3, has={"Age": "3"}))

# -- RFC 9110 section 6.6.1: Date

case("Date is stored as the origin said it", cc("max-age=60", Date=PAST), Ask("MISS", has={"Date": PAST}),
     Ask("HIT", after=9, has={"Date": PAST}))
case("Date of the future does no harm", cc("max-age=60", Date=within(86400)), *lives(60))
case("a broken Date does no harm", cc("max-age=60", Date="yesterday"), *lives(60))

# -- section 3: what may be stored

case("5.2.2.5 no-store", cc("no-store"), *never())
case("5.2.2.5 NO-STORE beats max-age", cc("NO-STORE, max-age=60"), *never())
case("5.2.2.7 private", cc("private, max-age=60"), *never())
case("5.2.2.7 Private with s-maxage", cc("Private, s-maxage=60"), *never())
case("5.2.2.7 private with an empty list", cc('private="", max-age=60'), *never())
case("5.2.2.7 private for some fields", cc('private="X-A, x-b", max-age=60', X_A="1", X_B="2", X_C="3"), Ask("MISS"),
     Ask("HIT", has={"X-A": None, "X-B": None, "X-C": "3"}))
case("5.2.2.7 private for one field, unquoted", cc("private=x-a, max-age=60", X_A="1"), Ask("MISS"), Ask("HIT", has={"X-A": None}))
case("5.2.2.4 no-cache is asked about each time", Origin(cc("no-cache", ETag='"a"'), valid=cc("no-cache")), Ask("MISS"),
     Ask("REVALIDATED", sent={"If-None-Match": '"a"'}), Ask("REVALIDATED"))
case("5.2.2.4 no-cache beats max-age", cc("max-age=60, no-cache"), *stale_at_once())
case("5.2.2.4 no-cache for some fields", cc('no-cache="X-A", max-age=60', X_A="1", X_B="2"), Ask("MISS"),
     Ask("HIT", has={"X-A": None, "X-B": "2"}))
case("5.2.2.3 must-understand does not lift no-store (cloudflare)", cc("must-understand, no-store, max-age=60"), *never())
for code, asks in {200: reused(), 404: reused(), 501: reused(), 299: never(), 599: never()}.items():
    case(f"5.2.2.3 must-understand and status {code}", Origin(cc("must-understand, max-age=60"), code), *asks)
case("5.2.2.9 public alone is no lifetime", cc("public"), Ask("MISS"), Ask("HIT", after=DEFAULT_TTL))
case("5.2.3 unknown directives are ignored", cc("foo, bar=1, max-age=60"), *lives(60))
case("5.4 Pragma of a response means nothing", {"Pragma": "no-cache"}, *reused())
case("5.4 Pragma does not beat max-age", cc("max-age=60", Pragma="no-cache"), *lives(60))
case("3.5 Authorization", cc("max-age=60"), Ask("BYPASS", headers=AUTH), Ask("BYPASS", headers=AUTH))
for text in ("public, max-age=60", "s-maxage=60", "must-revalidate, max-age=60"):
    case(f"3.5 Authorization and {text!r}", cc(text), Ask("MISS", headers=AUTH), Ask("HIT", headers=AUTH))
case("3.5 Authorization with proxy-revalidate only", cc("proxy-revalidate, max-age=60"), Ask("BYPASS", headers=AUTH))
for code in (200, 203, 204, 205, 299, 301, 302, 303, 307, 308, 400, 403, 404, 405, 410, 414, 418, 499, 500, 501, 503, 599):
    bare = code in (204, 205)
    case(f"3 status {code} with a lifetime", Origin(cc("max-age=60"), code, b"" if bare else BODY),
         Ask("MISS", code=code), Ask("HIT", code=code))
for code in (201, 202, 205, 299, 300, 307, 308, 400, 405, 414, 418, 501, 599):
    case(f"4.2.2 no lifetime is guessed for status {code} (cloudflare)", Origin({}, code, b"" if code == 205 else BODY), *never())
case("3.3 a part is not stored as the whole", Origin(cc("max-age=60", Content_Range="bytes 0-9/100"), 206), *never())
case("3.3 a part that is all of it", Origin(cc("max-age=60", Content_Range="bytes 0-9/10"), 206), *reused())
case("3.3 parts in one body are not stored", Origin(cc("max-age=60", Content_Type="multipart/byteranges; boundary=x"), 206), *never())
case("3 a 304 that nobody asked for", Origin(cc("max-age=60"), 304, b""), *never())
case("4.1 Vary: *", cc("max-age=60", Vary="*"), *never())
case("4.1 Vary: * among others", cc("max-age=60", Vary="Accept, *"), *never())
case("4.1 Vary: * on a second line", cc("max-age=60", Vary=["Accept", "*"]), *never())
case("cloudflare: other Vary is ignored", cc("max-age=60", Vary="X-Foo"), Ask("MISS", headers={"X-Foo": "1"}),
     Ask("HIT", headers={"X-Foo": "2"}))
case("cloudflare: Set-Cookie", cc("max-age=60", Set_Cookie="a=1"), *never())
case("2 the query is part of the key", cc("max-age=60"), Ask("MISS", path="?a=1"), Ask("MISS", path="?a=2"), Ask("HIT", path="?a=1"),
     Ask("MISS"))
case("2 the order of a query is too", cc("max-age=60"), Ask("MISS", path="?a=1&b=2"), Ask("MISS", path="?b=2&a=1"))

# -- section 3.1: fields that are not stored

case("3.1 Connection and what it names", cc("max-age=60", Connection="X-Hop, keep-alive", X_Hop="1", Keep_Alive="timeout=5", X_End="2"),
     Ask("MISS", has={"X-Hop": None, "Keep-Alive": None, "X-End": "2"}),
     Ask("HIT", has={"X-Hop": None, "Keep-Alive": None, "X-End": "2"}))
case("3.1 Connection naming a stored field", cc("max-age=60", Connection="X-A, X-B", X_A="1", X_B="1"), Ask("MISS"),
     Ask("HIT", has={"X-A": None, "X-B": None}))
for name in ("Proxy-Authenticate", "Proxy-Authentication-Info", "Proxy-Authorization", "Proxy-Connection", "TE", "Upgrade"):
    case(f"3.1 {name} is not stored", cc("max-age=60", **{name: "x"}), Ask("MISS"), Ask("HIT", has={name: None}))
case("3.1 fields nobody knows are stored", cc("max-age=60", X_Foo="bar", Content_Foo="baz"), Ask("MISS"),
     Ask("HIT", has={"X-Foo": "bar", "Content-Foo": "baz"}))
case("RFC 9110 6.5.1 trailers do not become headers", Origin(cc("max-age=60"), chunked=True,
                                                                    trailers=[("X-Late", "1"), ("Cache-Control", "no-store")]),
     Ask("MISS"), Ask("HIT", has={"X-Late": None, "Cache-Control": "max-age=60", "Content-Length": "10"}, body=BODY))

# -- section 4.2.4: stale answers

case("5.2.2.2 must-revalidate does not ask while fresh", cc("max-age=60, must-revalidate"), *lives(60))
BROKEN = Origin({}, 503, b"broken")
for text in ("must-revalidate", "proxy-revalidate", "no-cache", "s-maxage=5", "stale-if-error=0"):
    case(f"4.2.4 {text!r} forbids the stale answer", cc(f"max-age=5, {text}"), Ask("MISS"),
         Ask("BYPASS", after=6, now=BROKEN, code=503))
case("RFC 5861 4 inside stale-if-error", cc("max-age=5, stale-if-error=60"), Ask("MISS"), Ask("STALE", after=30, now=BROKEN, code=200, body=BODY),
     Ask("STALE", after=30, code=200), Ask("BYPASS", after=10, code=503))
case("RFC 5861 4 a 404 is no such error", cc("max-age=5, stale-if-error=60"), Ask("MISS"),
     Ask("EXPIRED", after=6, now=Origin({}, 404), code=404))
case("RFC 5861 3 inside stale-while-revalidate", cc("max-age=5, stale-while-revalidate=30"), Ask("MISS"),
     Ask("UPDATING", after=6, now=Origin(cc("max-age=5"), body=b"new"), has={"Age": "6"}, body=BODY), Ask("HIT", settled=2, body=b"new"))
case("RFC 5861 3 behind stale-while-revalidate", cc("max-age=5, stale-while-revalidate=30"), Ask("MISS"), Ask("EXPIRED", after=36))
case("RFC 5861 3 must-revalidate wins", cc("max-age=5, stale-while-revalidate=30, must-revalidate"), Ask("MISS"), Ask("EXPIRED", after=6))
case("4.2.4 an answer that may not be stored", cc("max-age=5"), Ask("MISS"),
     Ask("BYPASS", after=6, now=Origin(cc("no-store"), body=b"new"), body=b"new"))

# -- section 5.2.1: a request's own directives do not count (cloudflare)

for text in ("no-cache", "no-store", "max-age=0", "min-fresh=1000", "only-if-cached"):
    case(f"cloudflare: a request's {text} is ignored", cc("max-age=60"), Ask("MISS", headers={"Cache-Control": text}),
         Ask("HIT", headers={"Cache-Control": text}))
case("cloudflare: a request's Pragma is ignored", cc("max-age=60"), Ask("MISS"), Ask("HIT", headers={"Pragma": "no-cache"}))

# -- RFC 9213

case("RFC 9213 CDN-Cache-Control beats Cache-Control", cc("max-age=5", CDN_Cache_Control="max-age=60"), *lives(60))
case("RFC 9213 it beats no-store", cc("no-store", CDN_Cache_Control="max-age=60"), Ask("MISS"),
     Ask("HIT", has={"Cache-Control": "no-store", "CDN-Cache-Control": "max-age=60"}))
case("RFC 9213 it beats Expires", {"CDN-Cache-Control": "max-age=60", "Expires": PAST}, *lives(60))
case("RFC 9213 no-store for CDNs only", cc("max-age=60", CDN_Cache_Control="no-store"), *never())
case("RFC 9213 private for CDNs only", cc("max-age=60", CDN_Cache_Control="private"), *never())
case("RFC 9213 an empty field is passed over", cc("max-age=60", CDN_Cache_Control=""), *lives(60))
case("RFC 9213 the closest target wins", cc("no-store", CDN_Cache_Control="max-age=5", Cloudflare_CDN_Cache_Control="max-age=60"),
     Ask("MISS", has={"Cloudflare-CDN-Cache-Control": None}), Ask("HIT", after=60), Ask("EXPIRED", after=2))
case("RFC 9213 an empty closest target is passed over", cc("no-store", CDN_Cache_Control="max-age=60", Cloudflare_CDN_Cache_Control=""),
     *lives(60))
for text in ("no-store,", "max-age=9, &&&", "no-store, max-age =9", "max-age= 9", "max-age='9'", 'no-store, foo="x', "no-store max-age=9", ",no-store"):
    case(f"RFC 9213 {text!r} is no structured field and passed over", cc("max-age=60", CDN_Cache_Control=text), *lives(60))
for text in ("max-age=60;a;b=1", "foo=?1, max-age=60", "max-age=60, bar=(1 2)", "max-age=60.5", "MAX-AGE=60"):
    case(f"RFC 9213 {text!r}", cc("no-store", CDN_Cache_Control=text), *lives(60))
case("RFC 9213 directives over several lines", {"CDN-Cache-Control": ["foo", "max-age=60"]}, *lives(60))

# -- section 4.3: validation

MODIFIED = cc("max-age=5", Last_Modified=PAST)
TAGGED = cc("max-age=5", ETag='"a"')


def confirmed(**more):
    """A stale object with a tag, and the request for which it is confirmed."""
    return Origin(TAGGED, valid=TAGGED), Ask("MISS"), Ask("REVALIDATED", after=6, **more)


case("4.3.1 If-None-Match", *confirmed(sent={"If-None-Match": '"a"', "If-Modified-Since": None}, body=BODY))
case("4.3.1 If-Modified-Since", Origin(MODIFIED, valid=MODIFIED), Ask("MISS"),
     Ask("REVALIDATED", after=6, sent={"If-None-Match": None, "If-Modified-Since": PAST}))
case("4.3.1 both", Origin({**TAGGED, **MODIFIED}, valid=TAGGED), Ask("MISS"),
     Ask("REVALIDATED", after=6, sent={"If-None-Match": '"a"', "If-Modified-Since": PAST}))
case("4.3.1 a weak tag", Origin(cc("max-age=5", ETag='W/"a"'), valid=TAGGED), Ask("MISS"),
     Ask("REVALIDATED", after=6, sent={"If-None-Match": 'W/"a"'}))
case("8.8.3 a tag without quotes is none", cc("max-age=5", ETag="a"), Ask("MISS", has={"ETag": None}),
     Ask("EXPIRED", after=6, sent={"If-None-Match": None}, has={"ETag": None}))
case("4.3.4 a weak 304 for a weak tag", Origin(cc("max-age=5", ETag='W/"a"'), valid=cc("max-age=50", ETag='W/"a"')), Ask("MISS"),
     Ask("REVALIDATED", after=6), Ask("HIT", after=50, has={"ETag": 'W/"a"'}), Ask("REVALIDATED", after=2))
case("4.3.3 a server error is passed on where stale is forbidden", Origin(cc("max-age=5, must-revalidate", ETag='"a"')), Ask("MISS"),
     Ask("BYPASS", after=6, now=BROKEN, code=503, sent={"If-None-Match": '"a"'}), Ask("BYPASS", code=503),
     Ask("REVALIDATED", now=Origin(TAGGED, valid=TAGGED), code=200, body=BODY))
case("4.3.1 no validator, no condition", cc("max-age=5"), Ask("MISS"),
     Ask("EXPIRED", after=6, sent={"If-None-Match": None, "If-Modified-Since": None}))
case("4.3.1 a client's condition does not reach the origin", TAGGED, Ask("MISS", headers={"If-None-Match": '"z"', "Range": "bytes=0-1"},
                                                                         code=206, sent={"If-None-Match": None, "Range": None}))
case("4.3.1 nor does it replace ours", *confirmed(headers={"If-None-Match": '"z"', "If-Modified-Since": LATE},
                                                 sent={"If-None-Match": '"a"'}, code=200))
case("4.3.3 a full answer replaces", TAGGED, Ask("MISS"), Ask("EXPIRED", after=6, now=Origin(cc("max-age=5", ETag='"b"'), body=b"new"), body=b"new"),
     Ask("HIT", body=b"new", has={"ETag": '"b"'}))
case("4.3.4 a 304 with another strong tag renews nothing", Origin(TAGGED, valid=cc("max-age=100", ETag='"b"', X_Foo="new")), Ask("MISS"),
     Ask("REVALIDATED", after=6, body=BODY, has={"ETag": '"a"', "X-Foo": None}),
     Ask("REVALIDATED", sent={"If-None-Match": '"a"'}, has={"ETag": '"a"'}))
case("4.3.4 a 304 with another weak tag renews nothing", Origin(TAGGED, valid=cc("max-age=100", ETag='W/"b"')), Ask("MISS"),
     Ask("REVALIDATED", after=6, has={"ETag": '"a"'}), Ask("REVALIDATED"))
case("4.3.4 a tag that compression weakened is the same", Origin(cc("max-age=5", ETag='W/"a"'), valid=cc("max-age=50", ETag='"a"')), Ask("MISS"),
     Ask("REVALIDATED", after=6), Ask("HIT", after=50))
case("4.3.4 a 304 begins a new lifetime", Origin(TAGGED, valid=cc("max-age=100")), Ask("MISS"), Ask("REVALIDATED", after=6),
     Ask("HIT", after=99), Ask("REVALIDATED", after=3))
case("4.3.4 a 304 without a word keeps the stored lifetime", Origin(TAGGED, valid={}), Ask("MISS"), Ask("REVALIDATED", after=6),
     Ask("HIT", after=4), Ask("REVALIDATED", after=3))
case("4.3.4 a 304 that forbids storing is served once", Origin(TAGGED, valid=cc("no-store")), Ask("MISS"), Ask("REVALIDATED", after=6, body=BODY),
     Ask("REVALIDATED"))

# -- section 3.2: what a 304 changes

OLD_FIELDS = cc("max-age=5", ETag='"a"', X_Foo="old", Content_Foo="old", Expires=PAST, Content_Type="text/a", Content_Location="/old",
                Content_Security_Policy="default-src 'none'", Content_Language="de", X_Kept="kept", Date=PAST)
for name, value in {"Cache-Control": "max-age=6", "X-Foo": "new", "Content-Foo": "new", "Expires": LATE, "Content-Type": "text/b",
                    "Content-Location": "/new", "Content-Security-Policy": "default-src 'self'", "Content-Language": "en",
                    "Date": LATE, "X-New": "new", "Link": "</x>; rel=preload", "ETag": 'W/"a"'}.items():
    case(f"3.2 a 304 renews {name}", Origin(OLD_FIELDS, valid={name: value}), Ask("MISS"),
         Ask("REVALIDATED", after=7, has={name: value, "X-Kept": "kept"}), Ask("HIT", has={name: value, "X-Kept": "kept"}))
case("3.2 a 304 renews all lines of a field", Origin(cc("max-age=5", ETag='"a"', Link=["<a>", "<b>"]), valid={"Link": ["<c>"]}), Ask("MISS"),
     Ask("REVALIDATED", after=6, has={"Link": "<c>"}))
for name, value, had in (("Content-Length", "999", "10"), ("Content-Encoding", "gzip", None), ("Content-Range", "bytes 0-1/2", None),
                         ("Connection", "X-Kept", None), ("Keep-Alive", "timeout=1", None),
                         ("Proxy-Authenticate", "Basic", None), ("Set-Cookie", "a=1", None), ("Age", "55", None), ("ETag", "b", '"a"')):
    case(f"3.2 a 304 does not change {name}", Origin(OLD_FIELDS, valid={name: value}), Ask("MISS"),
         Ask("REVALIDATED", after=6, has={name: had, "X-Kept": "kept"}, body=BODY))

# -- RFC 9110 section 13: conditions of clients

FULL = cc("max-age=600", ETag='"a,b"', Last_Modified=PAST)
WEAK = cc("max-age=600", ETag='W/"a"')


def asks(headers, code, origin=FULL, status="HIT", **more):
    return origin, Ask("MISS"), Ask(status, headers=headers, code=code, body=b"" if code == 304 else None, **more)


for value, code in {'"a,b"': 304, 'W/"a,b"': 304, '"x", "a,b"': 304, '"x" , "y"\t,"a,b"': 304, ',,"a,b",': 304, "*": 304, '"x"': 200,
                    '"a", "b"': 200, "a,b": 200, '"A,B"': 200, '"x", *': 200, '"a,b': 200, "": 200}.items():
    case(f"13.1.2 If-None-Match {value!r}", *asks({"If-None-Match": value}, code))
for value in ('"a"', 'W/"a"'):
    case(f"13.1.2 If-None-Match {value!r} and a weak tag", *asks({"If-None-Match": value}, 304, WEAK))
case("13.1.2 If-None-Match over two lines", *asks([("If-None-Match", '"x"'), ("If-None-Match", '"a,b"')], 304))
case("13.1.2 a star and no tag", *asks({"If-None-Match": "*"}, 304, cc("max-age=600")))
case("13.2.2 If-None-Match beats If-Modified-Since", *asks({"If-None-Match": '"x"', "If-Modified-Since": PAST}, 200))
for value, code in {PAST: 304, LATE: 304, "Tue, 20 Oct 2015 07:28:00 GMT": 200, "Wednesday, 21-Oct-15 07:28:00 GMT": 304,
                    "Wed Oct 21 07:28:00 2015": 304, "Wednesday, 21-Oct-14 07:28:00 GMT": 200, "0": 200, "foo": 200,
                    "Thu, 99 Oct 2015 07:28:00 GMT": 200, "Thu, 22 Oct 2015 07:28:00 PST": 200, "": 200,
                    "thu, 22 oct 2015 07:28:00 gmt": 304}.items():
    case(f"13.1.3 If-Modified-Since {value!r}", *asks({"If-Modified-Since": value}, code))
case("13.1.3 two lines are no date", *asks([("If-Modified-Since", LATE), ("If-Modified-Since", LATE)], 200))
case("13.1.3 an unreadable Last-Modified matches nothing", *asks({"If-Modified-Since": "foo"}, 200, cc("max-age=600", Last_Modified="foo")))
case("13.1.3 Last-Modified in RFC 850 form", *asks({"If-Modified-Since": PAST}, 304, cc(
    "max-age=600", Last_Modified="Wednesday, 21-Oct-15 07:28:00 GMT")))
for code in (404, 301, 500, 203):
    case(f"13.2.1 no condition is met by a stored {code}", *asks({"If-None-Match": '"a,b"', "If-Modified-Since": LATE}, code, Origin(FULL, code)))
case("13.1.2 HEAD as well", *asks({"If-None-Match": '"a,b"'}, 304, method="HEAD"))
case("15.4.5 what a 304 says", *asks({"If-None-Match": '"a,b"'}, 304, {**FULL, "Content-Type": "text/a", "Content-Location": "/x", "Date": PAST,
                                                                     "Expires": LATE, "Vary": "Accept"},
     has={"ETag": '"a,b"', "Cache-Control": "max-age=600", "Content-Location": "/x", "Date": PAST, "Expires": LATE, "Vary": "Accept",
          "Content-Type": None, "Content-Length": None}))
case("13.1.2 on a miss", FULL, Ask("MISS", headers={"If-None-Match": '"a,b"'}, code=304), Ask("HIT", body=BODY))
case("13.1.2 after a revalidation", *confirmed(headers={"If-None-Match": '"a"'}, code=304))
case("13.1.1 If-Match is the origin's business (cloudflare)", *asks({"If-Match": '"x"'}, 200))
case("13.1.4 If-Unmodified-Since as well (cloudflare)", *asks({"If-Unmodified-Since": "Tue, 20 Oct 2015 07:28:00 GMT"}, 200))

# -- HEAD

case("4 HEAD from a stored GET", cc("max-age=60", X_A="1"), Ask("MISS"), Ask("HIT", method="HEAD", has={"Content-Length": "10", "X-A": "1"}))
case("4 HEAD fetches the whole", cc("max-age=60"), Ask("MISS", method="HEAD", has={"Content-Length": "10"}), Ask("HIT", body=BODY))
case("4.3.5 HEAD of a stale object", *confirmed(method="HEAD", has={"Content-Length": "10"}))

# -- RFC 9110 section 14: ranges

for value, code, body in (("bytes=0-1", 206, b"01"), ("bytes=3-", 206, b"3456789"), ("bytes=-3", 206, b"789"), ("bytes=-30", 206, BODY),
                          ("bytes=8-30", 206, b"89"), ("BYTES=0-0", 206, b"0"), ("bytes= 0-1", 206, b"01"), ("bytes=9-9", 206, b"9"),
                          ("bytes=10-", 416, b""), ("bytes=-0", 416, b""), ("lines=0-1", 200, BODY), ("bytes=a-b", 200, BODY),
                          ("bytes", 200, BODY), ("bytes=0-1-2", 200, BODY), ("bytes=5-8,0-1", 200, BODY), ("bytes=0-5,3-8", 200, BODY)):
    case(f"14.2 Range {value}", FULL, Ask("MISS"), Ask("HIT", headers={"Range": value}, code=code, body=body,
                                                       has={"Content-Range": "bytes */10"} if code == 416 else {}))
case("14.4 Content-Range and the rest of a 206", FULL, Ask("MISS"), Ask("HIT", headers={"Range": "bytes=2-4"}, code=206, has={
    "Content-Range": "bytes 2-4/10", "Content-Length": "3", "ETag": '"a,b"', "Last-Modified": PAST, "Cache-Control": "max-age=600"}))
case("14.2 a range on a miss", FULL, Ask("MISS", headers={"Range": "bytes=2-4"}, code=206, body=b"234", sent={"Range": None}), Ask("HIT", body=BODY))
case("14.2 no range of a stored 404", Origin(FULL, 404), Ask("MISS"), Ask("HIT", headers={"Range": "bytes=0-1"}, code=404, body=BODY))
case("13.2.2 a condition beats Range", *asks({"Range": "bytes=0-1", "If-None-Match": '"a,b"'}, 304))
case("13.2.2 a condition that fails does not stop Range", *asks({"Range": "bytes=0-1", "If-None-Match": '"x"'}, 206))
for value, code in {'"a,b"': 206, PAST: 206, '"x"': 200, 'W/"a,b"': 200, LATE: 200, "foo": 200, "": 200}.items():
    case(f"13.1.5 If-Range {value!r}", *asks({"Range": "bytes=0-1", "If-Range": value}, code))
case("13.1.5 If-Range never matches a weak tag", *asks({"Range": "bytes=0-1", "If-Range": 'W/"a"'}, 200, WEAK))
case("13.1.5 If-Range without Range", *asks({"If-Range": '"x"'}, 200))
case("15.3.7.2 several ranges", FULL, Ask("MISS"), Ask("HIT", headers={"Range": "bytes=0-1,4-5"}, code=206, has={"Content-Range": None}))
case("14.2 ranges of a revalidated object", *confirmed(headers={"Range": "bytes=0-1"}, code=206, body=b"01"))
case("3.3 a body that ends early is not stored", Origin(cc("max-age=60"), length=10, body=b"0123"), Ask(None),
     Ask("MISS", now=Origin(cc("max-age=60"))))

# -- section 4.4: unsafe methods invalidate

OK = Origin({}, 200, b"done")
for method in ("POST", "PUT", "DELETE", "PATCH", "M-SEARCH"):
    case(f"4.4 {method} invalidates", cc("max-age=60"), Ask("MISS"), Ask("HIT"), Ask("DYNAMIC", method=method, now=OK),
         Ask("MISS", now=Origin(cc("max-age=60"))))
for code in (201, 204, 302, 303):
    case(f"4.4 so does an answer {code}", cc("max-age=60"), Ask("MISS"), Ask("DYNAMIC", method="POST", now=Origin({}, code, b"")),
         Ask("MISS", now=Origin(cc("max-age=60"))))
for code in (400, 404, 500, 503):
    case(f"4.4 an error {code} does not", cc("max-age=60"), Ask("MISS"), Ask("DYNAMIC", method="POST", now=Origin({}, code)), Ask("HIT"))
case("4.4 OPTIONS is safe", cc("max-age=60"), Ask("MISS"), Ask("DYNAMIC", method="OPTIONS", now=OK), Ask("HIT"))
case("4.4 HEAD is safe", cc("max-age=60"), Ask("MISS"), Ask("HIT", method="HEAD"), Ask("HIT"))
case("4.4 a browser's POST names its Origin", cc("max-age=60"), Ask("MISS"), Ask("DYNAMIC", method="POST", headers={"Origin": "https://x"}, now=OK),
     Ask("MISS", now=Origin(cc("max-age=60"))))
case("4.4 its own variant goes too", cc("max-age=60"), Ask("MISS", headers={"Origin": "https://x"}),
     Ask("DYNAMIC", method="POST", headers={"Origin": "https://x"}, now=OK),
     Ask("MISS", headers={"Origin": "https://x"}, now=Origin(cc("max-age=60"))))
case("4.4 the query counts", cc("max-age=60"), Ask("MISS", path="?a"), Ask("DYNAMIC", method="POST", path="?b", now=OK), Ask("HIT", path="?a"))
for name in ("Location", "Content-Location"):
    for form in ("{path}/other", "http://www.example.test{path}/other", "//www.example.test{path}/other", "{path}/x/../other#part", "{last}/other"):
        case(f"4.4 {name} {form}", cc("max-age=60"), Ask("MISS", path="/other"), Ask("DYNAMIC", method="POST", now=Origin({name: form}, 201)),
             Ask("MISS", path="/other", now=Origin(cc("max-age=60"))))
    case(f"4.4 {name} of another origin", cc("max-age=60"), Ask("MISS", path="/other"),
         Ask("DYNAMIC", method="POST", now=Origin({name: "http://example.test{path}/other"}, 201)), Ask("HIT", path="/other"))
    case(f"4.4 {name} of another scheme", cc("max-age=60"), Ask("MISS", path="/other"),
         Ask("DYNAMIC", method="POST", now=Origin({name: "ftp://www.example.test{path}/other"}, 201)), Ask("HIT", path="/other"))


@pytest.fixture(scope="module")
def edge(shared_start, shared_origin):
    gateway = shared_start(shared_origin, rules=[{
        "action": "set_cache_settings", "expression": "true",
        "action_parameters": {"cache": True, "edge_ttl": {"mode": "respect_origin"}, "browser_ttl": {"mode": "respect_origin"}}}])
    return gateway, shared_origin


def to_lines(headers, now, path):
    """Values may be lists (one line each), functions of the time, or name the case's path."""
    for name, values in headers.items():
        for value in values if isinstance(values, list) else [values]:
            text = value(now) if callable(value) else value
            yield name, text.replace("{path}", path).replace("{last}", path.rsplit("/", 1)[1])


def answer(origin, now, path):
    def handler(request, _):
        asked = "If-None-Match" in request or "If-Modified-Since" in request
        if origin.valid is not None and asked:
            return Reply(status=304, headers=list(to_lines(origin.valid, now, path)))
        return Reply(origin.body, origin.code, list(to_lines(origin.headers, now, path)), chunked=origin.chunked,
                     trailers=origin.trailers, length=origin.length)

    return handler


@pytest.mark.parametrize("name", CASES)
def test_case(edge, name):
    gateway, server = edge
    origin, steps = CASES[name]
    path = f"/case/{list(CASES).index(name)}"
    now = gateway.now_ms() / 1000
    for index, step in enumerate(steps):
        origin = step.now or origin
        for target in (path, path + "/other"):
            server.on(target, answer(origin, now, path))
        if step.settled:
            wait_until(lambda: server.count(path) >= step.settled, "the background refresh")
            wait_until(lambda: gateway.fetch(path).cache == "HIT", "its end")
        if step.after:
            gateway.advance(step.after * 1000)
        try:
            response = gateway.fetch(path + step.path, step.method, step.headers)
        except Truncated:
            assert step.status is None, f"{name}, request {index + 1} was cut short"
            continue
        where = f"{name}, request {index + 1}: {response}"
        assert response.cache == step.status, where
        assert step.code is None or response.status == step.code, where
        assert step.body is None or response.body == step.body, where
        for header, value in step.has.items():
            expected = value if value is None else value.replace("{path}", path)
            assert response.get(header) == expected, f"{header} of {where}"
        for header, value in (step.sent or {}).items():
            assert server.last(path).get(header) == value, f"{header} to the origin, {where}"


def test_an_interim_answer_is_neither_stored_nor_decides(edge):
    gateway, server = edge

    def early(_, connection):
        connection.send("HTTP/1.1 103 Early Hints\r\nCache-Control: no-store\r\nX-Early: 1\r\n\r\n")
        return Reply(BODY, cache_control="max-age=60")

    server.on("/interim", early)
    for status in ("MISS", "HIT"):
        response = gateway.fetch("/interim")
        assert (response.cache, response.status, response.body, "X-Early" in response) == (status, 200, BODY, False)


@pytest.mark.parametrize("location, target", [
    ("http://www.example.test?q", "/?q"), ("http://www.example.test", "/"), ("HTTP://WWW.Example.Test:80/forms/a", "/forms/a"),
    ("?q", "/forms/post?q"), ("../b", "/b"), ("a:b", None), ("//", None), ("http://", None), ("http:///a", None), ("#x", None)])
def test_forms_of_a_location(edge, location, target):
    gateway, server = edge
    for path in ("/", "/forms/a", "/forms/post", "/b"):
        server.on(path, Reply(BODY, cache_control="max-age=60"))
    paths = ("/?q", "/", "/forms/a", "/forms/post?q", "/b")
    for path in paths:
        gateway.fetch(path)
    server.on("/forms/post", Reply(BODY, 201, {"Location": location, "Cache-Control": "max-age=60"}))
    assert gateway.fetch("/forms/post", "POST").status == 201
    for path in paths:
        assert gateway.fetch(path).cache == ("MISS" if path == target else "HIT"), path
