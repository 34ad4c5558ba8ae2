/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The filter of system calls, "seccomp" or `run --seccomp`: from before the first request on, the
 * process is bound to what an edge does (sockets, files, time, memory, threads). It executes no
 * program, traces and signals no other process, mounts, loads and becomes nothing. An allow-list,
 * so what nobody thought of is refused too.
 *
 * Threads: the caller's and all others at once (TSYNC); later ones inherit it. It cannot be taken
 * off. Memory that is both writable and executable is refused: regular expressions are not
 * compiled to machine code here. The only place that sees libseccomp. */
#include "config/config.h"

/* 0 or a negative errno; then there is no filter. */
GW_MUST int seccomp_install(enum config_seccomp_action action);
