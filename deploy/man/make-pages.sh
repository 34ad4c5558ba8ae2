#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Manual pages from what the program says about itself, so that they never know less than it does:
# nearedge.1 from `help` and each `help VERB`, nearedge.json.5 from `help config`. Compressed without
# a time stamp: the same program gives the same pages.
set -eu

[ $# -eq 3 ] || { echo "usage: make-pages.sh PROGRAM VERSION FOLDER" >&2; exit 2; }
program=$1 version=$2 folder=$3
mkdir -p "$folder"

# Text as it is: a backslash, a hyphen (which must stay one when copied) and a control character in
# front need an escape.
roff() {
    sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^\([.']\)/\\\\\&\1/"
}

# The same without filling lines.
verbatim() {
    echo .nf
    roff
    echo .fi
}

verbs() {
    "$program" help | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p'
}

program_page() {
    cat <<END
.TH NEAREDGE 1 "" "nearedge $version" "User Commands"
.SH NAME
nearedge \\- your Cloudflare edge, on your own machine
.SH SYNOPSIS
.B nearedge
.I VERB
.RI [ OPTION ]...
.SH DESCRIPTION
An asynchronous reverse proxy that takes Cloudflare's rulesets, caches and limits as Cloudflare does,
and explains why. Its verbs:
.PP
END
    "$program" help | sed -n 's/^  \([a-z]\)/\1/p' | verbatim
    echo .SH VERBS
    for verb in $(verbs); do
        echo ".SS nearedge $verb"
        "$program" help "$verb" | verbatim
    done
    cat <<END
.SH FILES
.TP
.I /etc/nearedge/nearedge.json
The configuration of nearedge.service.
.TP
.I /etc/default/nearedge
Environment of nearedge.service: NAME=value lines, for ports and secrets. Need not exist.
.TP
.I /usr/lib/systemd/system/nearedge.socket
Holds the listeners open over restarts, once it is enabled; its addresses are those of the
configuration.
.SH ENVIRONMENT
.TP
.B NEAREDGE_ADMIN_TOKEN
Token that the verbs send to the admin listener when the configuration has none.
.TP
.B NO_COLOR
No colours on a terminal.
.TP
.BR LISTEN_PID ", " LISTEN_FDS ", " LISTEN_FDNAMES
Listening sockets of a service manager, see sd_listen_fds(3). One that has the address of a listener,
or of the admin, takes its place; the others are closed with a warning. Several with one address go
to as many workers; fewer than workers are shared.
.TP
.B NOTIFY_SOCKET
Where a service manager hears READY=1, RELOADING=1 and STOPPING=1.
.SH SEE ALSO
.BR nearedge.json (5)
END
}

# PATH  WHAT IT MUST BE [DEFAULT]: MEANING
config_page() {
    cat <<END
.TH NEAREDGE.JSON 5 "" "nearedge $version" "File Formats"
.SH NAME
nearedge.json \\- configuration of nearedge
.SH DESCRIPTION
JSON with // and /* */ comments. An unknown key is an error that names the nearest known one; all
errors are reported at once. \${VAR}, \${VAR:\\-default} and \${file:PATH} expand inside string
values; relative paths are relative to the file that names them; durations carry their unit in the
key, sizes take KiB, MiB, GiB, KB, MB and GB.
.PP
Below, [] behind a name is a list, and a default stands in brackets.
.SH KEYS
END
    "$program" help config | roff | sed 's/^\([^ ]*\)  *\(.*\)/.TP\n.B \1\n\2/'
    cat <<END
.SH SEE ALSO
.BR nearedge (1),
/usr/share/doc/nearedge/examples
END
}

program_page | gzip -9n >"$folder/nearedge.1.gz"
config_page | gzip -9n >"$folder/nearedge.json.5.gz"
